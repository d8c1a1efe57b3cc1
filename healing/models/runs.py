"""One attempt to heal something, its history and its thoughts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import models
from django.db.models import Q

from core import clock, ids, leases
from core.leases import Leased
from core.transitions import Transition
from healing import limits
from healing.models.patterns import Pattern
from healing.phases import LIVE, TERMINAL, WAITING, WORKING, Origin, Phase
from incidents.models import Host, Incident


def new_run_id() -> str:
    return ids.new_id("run")


class RunQuerySet(models.QuerySet["HealRun"]):
    def due(self) -> RunQuerySet:
        """What a worker may take up now: work, lessons not yet drawn, and waits past their deadline."""
        working = Q(phase__in=WORKING) | Q(phase__in=TERMINAL, learned_at__isnull=True)
        overdue = Q(phase__in=WAITING) & Q(wait_until__lte=clock.now())
        return self.filter(leases.claimable()).filter(working | overdue)

    def live(self) -> RunQuerySet:
        return self.filter(phase__in=LIVE)


class HealRun(Leased):
    """`subject` is the affected user's feed, `user` their id at the host ("" when nobody vouched for it).

    `remedy` is what the run is trying now, `diagnosis` what it believes, `tried` one line per rung:
    {"rung", "why", "ended"}. `evidence` is the pack as it was at triage.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_run_id, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="heal_runs")
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="heal_runs"
    )
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.INCIDENT)
    brief = models.TextField(blank=True, default="")  # the owner's words for a proposal or quick fix
    phase = models.CharField(max_length=16, choices=Phase, default=Phase.QUEUED)
    subject = models.CharField(max_length=255, blank=True, default="")
    user = models.CharField(max_length=200, blank=True, default="")
    verified = models.BooleanField(default=False)
    evidence = models.JSONField(default=dict, blank=True)
    diagnosis = models.JSONField(default=dict, blank=True)
    remedy = models.JSONField(default=dict, blank=True)
    tried = models.JSONField(default=list, blank=True)
    answer = models.JSONField(default=dict, blank=True)  # {"question", "choice"}: never the free text
    approval = models.JSONField(default=dict, blank=True)  # {"actor", "tree_hash" or "runbook", "at"}
    pattern = models.ForeignKey(
        Pattern, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs_matched"
    )
    fix = models.ForeignKey("healing.Fix", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    rollout = models.CharField(max_length=32, blank=True, default="")
    rollout_phase = models.CharField(max_length=20, blank=True, default="")  # as the run last saw it
    user_served = models.BooleanField(default=False)  # the user was told that the candidate serves them
    score = models.JSONField(default=dict, blank=True)  # the judge's (L2)
    outcome = models.CharField(max_length=500, blank=True, default="")
    last_error = models.CharField(max_length=500, blank=True, default="")
    wait_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    learned_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident"],
                condition=Q(phase__in=sorted(LIVE)),
                name="one_live_run_per_incident",
            )
        ]
        indexes = [
            models.Index(fields=["phase", "run_after"], name="run_sweep"),
            models.Index(fields=["host", "created_at"], name="run_caps"),
            models.Index(fields=["rollout"], name="run_of_rollout"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.phase})"

    @property
    def state(self) -> Phase:
        return Phase(self.phase)

    def beat(self) -> None:
        """Renews the lease that this worker holds; raises LeaseLost when another one has it."""
        leases.renew(HealRun.objects.all(), self.pk, self.lease_token, limits.LEASE_S)

    def heartbeat(self) -> Callable[[], None]:
        """`beat` for long work that reports often: writes at most every third of a lease."""
        last = clock.now()

        def pulse() -> None:
            nonlocal last
            if clock.now() - last >= timedelta(seconds=limits.LEASE_S / 3):
                self.beat()
                last = clock.now()

        return pulse


class RunTransition(Transition):
    """The run's history, and with it the timeline and the audit."""

    subject = models.ForeignKey(HealRun, on_delete=models.CASCADE, related_name="transitions")

    class Meta(Transition.Meta):
        indexes = [models.Index(fields=["subject", "at"], name="run_timeline")]


class ThinkingPhase(models.TextChoices):
    DECOMPOSE = "DECOMPOSE"  # the symptom taken apart into facts
    PRIOR = "PRIOR_KNOWLEDGE"  # what we have seen before
    EXPLORE = "EXPLORE"  # two or three hypotheses
    CRITIQUE = "CRITIQUE"  # what speaks against each
    SYNTHESIZE = "SYNTHESIZE"  # the one that stands, and its remedy
    VERIFY = "VERIFY"  # a cheap check that could have refuted it


class ThinkingRecord(models.Model):
    """One phase of one diagnosis. `record`: {"engine", "inputs", "claims", "links"}; see thinking/shapes."""

    run = models.ForeignKey(HealRun, on_delete=models.CASCADE, related_name="thoughts")
    round = models.PositiveSmallIntegerField(default=1)  # a run that comes back to diagnosis thinks again
    phase = models.CharField(max_length=20, choices=ThinkingPhase)
    confidence = models.FloatField(null=True, blank=True)
    record = models.JSONField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "round", "phase"], name="thought_once_per_round")
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.phase} of {self.run_id}"
