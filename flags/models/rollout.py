"""The way of one candidate from one user to all."""

from django.db import models

from core import clock, ids
from core.leases import Leased
from core.transitions import Transition
from flags.models.flag import Flag
from flags.models.release import Release
from flags.phases import RolloutPhase
from incidents.models import Host


def new_rollout_id() -> str:
    return ids.new_id("rlt")


class Rollout(Leased):
    """Everything the controller needs after a crash stands here.

    `since` is when the present phase began and `deadline` when it is judged for the last time. `sequential`
    is the state of the tests that watch errors and latency; `cursor` the last request record they have
    seen. `replay` is the name of what healing replays and `replay_result` its answer for this phase.
    A phase is over in the sense of the table when it moved on; the rollout is over when `finished_at` is
    set: the fix is merged, or everything it left behind is gone and that was proved.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_rollout_id, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="rollouts")
    release = models.OneToOneField(Release, on_delete=models.CASCADE, related_name="rollout")
    flag = models.ForeignKey(Flag, on_delete=models.SET_NULL, null=True, related_name="rollouts")
    incident_id = models.CharField(
        max_length=32, blank=True, default=""
    )  # an id, not a key: text stays below
    affected_subject = models.CharField(max_length=255, blank=True, default="")
    fingerprint = models.CharField(max_length=80, blank=True, default="")
    touched_paths = models.JSONField(default=list, blank=True)
    touched_routes = models.JSONField(default=list, blank=True)
    phase = models.CharField(max_length=16, choices=RolloutPhase, default=RolloutPhase.PENDING)
    held_from = models.CharField(max_length=16, choices=RolloutPhase, blank=True, default="")
    since = models.DateTimeField(default=clock.now)
    deadline = models.DateTimeField(null=True, blank=True)
    extended = models.BooleanField(default=False)
    looked_at = models.DateTimeField(null=True, blank=True)  # longer ago than the lease: nobody was on it
    blind_since = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    evidence = models.JSONField(default=dict, blank=True)  # the last look, for people
    baseline = models.JSONField(default=dict, blank=True)  # route -> stable's p95 in ms, frozen at the start
    sequential = models.JSONField(default=dict, blank=True)
    cursor = models.BigIntegerField(default=0)
    cohort = models.JSONField(null=True, blank=True)  # how the similar users were chosen, once they are
    replay = models.CharField(max_length=100, blank=True, default="")
    replay_wanted_at = models.DateTimeField(null=True, blank=True)
    replay_result = models.JSONField(null=True, blank=True)
    proof = models.JSONField(null=True, blank=True)  # what the kill did, with times
    merged_commit = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["run_after"], name="rollout_due", condition=models.Q(finished_at__isnull=True)
            ),  # the tick
            models.Index(fields=["host", "phase"], name="rollout_of_host"),
            models.Index(fields=["incident_id"], name="rollout_of_incident"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.phase})"

    @property
    def stage(self) -> RolloutPhase:
        return RolloutPhase(self.phase)


class RolloutTransition(Transition):
    """The rollout's timeline and audit."""

    subject = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="transitions")


class Assignment(models.Model):
    """One user's membership. The token is what his browser carries; nobody can guess another's.

    `why` explains in words for the owner how this user came in. `landed_at` is when his browser first
    loaded a page from the candidate: what he reports from before that moment says nothing about it.
    """

    rollout = models.ForeignKey(Rollout, on_delete=models.CASCADE, related_name="assignments")
    subject = models.CharField(max_length=255)
    token = models.CharField(max_length=64, unique=True, default=ids.new_secret)
    member = models.CharField(max_length=40, db_index=True)  # digest of the token, as in the gateway's log
    phase = models.CharField(max_length=16, choices=RolloutPhase)
    why = models.JSONField(default=list, blank=True)
    assigned_at = models.DateTimeField(default=clock.now)
    told_at = models.DateTimeField(null=True, blank=True)  # his browser was given the token
    landed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rollout", "subject"], name="assignment_once"),
        ]
        indexes = [models.Index(fields=["subject", "ended_at"], name="assignment_of_subject")]

    def __str__(self) -> str:
        return f"{self.subject} in {self.rollout_id}"
