"""Runbooks that were applied: exactly what changed, and how it ended."""

from django.db import models

from core import clock
from healing.models.runs import HealRun


class RunbookState(models.TextChoices):
    PREPARED = "prepared"  # the dry run said yes; the host may or may not have applied it
    APPLIED = "applied"  # the host answered what it changed; the invariant is not judged yet
    HELD = "held"  # the invariant holds
    UNDONE = "undone"  # the invariant failed and the inverse put everything back
    STUCK = "stuck"  # the invariant failed and so did the inverse: the owner was woken


class RunbookUse(models.Model):
    """One action for one user, once: the key makes the host apply it at most once, whatever crashes."""

    run = models.ForeignKey(HealRun, on_delete=models.CASCADE, related_name="runbook_uses")
    action = models.CharField(max_length=64)
    user = models.CharField(max_length=200)
    key = models.CharField(max_length=120, unique=True)  # the idempotency key: run id and action
    state = models.CharField(max_length=10, choices=RunbookState, default=RunbookState.PREPARED)
    precondition = models.JSONField(default=dict)  # the dry run's answer and the invariant before
    changed = models.JSONField(default=dict, blank=True)
    undo = models.JSONField(null=True, blank=True)
    facts_before = models.JSONField(default=dict, blank=True)
    facts_after = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["user", "action", "at"], name="runbook_cooldown")]

    def __str__(self) -> str:
        return f"{self.action} for {self.user}: {self.state}"
