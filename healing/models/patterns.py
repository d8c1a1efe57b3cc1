"""The Error Pattern Library: what worked before, with its evidence and its record."""

from django.db import models

from core import clock, ids
from incidents.models import Host


class PatternState(models.TextChoices):
    ACTIVE = "active"  # may be matched
    DEMOTED = "demoted"  # a fix from it was rolled back or came back; matched, but scored lower
    RETIRED = "retired"  # never matched again


def new_pattern_id() -> str:
    return ids.new_id("pat")


class Pattern(models.Model):
    """`matcher`: what a case must look like; `remedy`: {"kind": "runbook", "name"} or {"kind": "code",
    "template", "file", "function"}. `key` is the hash of both: the same lesson is one row.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_pattern_id, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="patterns")
    key = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    matcher = models.JSONField()
    remedy = models.JSONField()
    evidence = models.JSONField(default=dict, blank=True)  # run, scenario, verification, rollout it came of
    state = models.CharField(max_length=10, choices=PatternState, default=PatternState.ACTIVE)
    pinned = models.BooleanField(default=False, help_text="Never retired by the machine.")
    uses = models.PositiveIntegerField(default=0)
    successes = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    demotions = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "key"], name="pattern_one_per_lesson")]
        indexes = [models.Index(fields=["host", "state"], name="pattern_lookup")]

    def __str__(self) -> str:
        return self.title
