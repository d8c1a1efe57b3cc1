"""Builds of the host that run, ran, or are about to."""

from django.db import models

from core import clock, ids
from core.transitions import Transition
from flags.phases import ReleasePhase
from flags.spec import ReleaseSpec
from incidents.models import Host
from incidents.models.fields import EncryptedTextField


def new_release_id() -> str:
    return ids.new_id("rel")


class ReleaseKind(models.TextChoices):
    STABLE = "stable"  # everyone's, unless a rollout says otherwise
    CANDIDATE = "candidate"  # one fix's


class Release(models.Model):
    """One build: its tree in `directory`, its process group when it runs.

    `pid` alone could be a stranger's by now, so `birth` (boot id and start time of that process) goes with
    it; nothing is signalled unless both match. The process leads its own group and session: it outlives
    the worker that started it.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_release_id, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="releases")
    kind = models.CharField(max_length=10, choices=ReleaseKind)
    commit = models.CharField(max_length=64)
    tree_hash = models.CharField(max_length=64, blank=True, default="")
    directory = models.CharField(max_length=500)
    # A ReleaseSpec as JSON. Its environment holds the secret that the host signs with.
    spec = EncryptedTextField()
    health = models.CharField(max_length=300, default="/healthz")  # of the spec, readable without its key
    phase = models.CharField(max_length=10, choices=ReleasePhase, default=ReleasePhase.BUILT)
    port = models.PositiveIntegerField(null=True, blank=True)
    pid = models.PositiveIntegerField(null=True, blank=True)
    birth = models.CharField(max_length=100, blank=True, default="")
    health_failures = models.PositiveSmallIntegerField(default=0)  # in a row
    started_at = models.DateTimeField(null=True, blank=True)
    drain_until = models.DateTimeField(null=True, blank=True)  # replaced: finishes its requests until then
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["host", "kind", "phase"], name="release_running"
            ),  # the gateway's desired state
            models.Index(fields=["host", "created_at"], name="release_caps"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.commit[:10]})"

    @property
    def launch(self) -> ReleaseSpec:
        return ReleaseSpec.model_validate_json(self.spec)


class ReleaseTransition(Transition):
    """The life of one release."""

    subject = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="transitions")
