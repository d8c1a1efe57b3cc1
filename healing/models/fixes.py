"""Scenario, fix and verification: the way of a code change from a fault to a verdict."""

from django.db import models

from core import clock, ids
from healing.models.runs import HealRun
from healing.outcomes import Verdict


def new_scenario_id() -> str:
    return ids.new_id("scn")


def new_fix_id() -> str:
    return ids.new_id("fix")


class Scenario(models.Model):
    """A reproduction compiled from recorded actions. `base`: {"failed", "runs", "reason", "p"} on the
    clone; `account` are the clone's files (base64), so that each worker judges on the same account.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_scenario_id, editable=False)
    run = models.OneToOneField(HealRun, on_delete=models.CASCADE, related_name="scenario")
    body = models.JSONField()
    base_commit = models.CharField(max_length=64)
    base = models.JSONField(default=dict, blank=True)
    account = models.JSONField(default=dict, blank=True)
    generic = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.id


class Fix(models.Model):
    """A change to the host's code, committed under `ref` and bound to its intent by `intent_hash`."""

    id = models.CharField(primary_key=True, max_length=32, default=new_fix_id, editable=False)
    run = models.ForeignKey(HealRun, on_delete=models.CASCADE, related_name="fixes")
    number = models.PositiveSmallIntegerField(default=1)  # the run's n-th try
    base_commit = models.CharField(max_length=64)
    commit = models.CharField(max_length=64)
    ref = models.CharField(max_length=200)
    tree_hash = models.CharField(max_length=64)
    diff = models.TextField()
    template = models.CharField(max_length=80)
    intent = models.JSONField()
    intent_hash = models.CharField(max_length=64)
    paths = models.JSONField(default=list)
    gate = models.JSONField(default=dict)  # {"decision", "reasons"}
    search = models.JSONField(default=dict)  # tried, seconds, survivors, attempts
    refused = models.CharField(max_length=500, blank=True, default="")  # why it may never be released
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="fix_number_once")]

    def __str__(self) -> str:
        return f"{self.id} ({self.template})"


class Verification(models.Model):
    """What was measured about a fix. `arms`: name -> {"passed", "failed", "error"}; `checks`: name ->
    {"verdict", "reason", "seconds"}."""

    fix = models.OneToOneField(Fix, on_delete=models.CASCADE, related_name="verification")
    arms = models.JSONField(default=dict)
    checks = models.JSONField(default=dict)
    p_value = models.FloatField(null=True, blank=True)  # Fisher's exact, base against fix on the clone
    verdict = models.CharField(max_length=12, choices=Verdict)
    reason = models.CharField(max_length=500, blank=True, default="")
    seconds = models.FloatField(default=0)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.fix_id}: {self.verdict}"
