"""What the gateway saw, who is alive, and the switch that stops everything new."""

from django.db import models

from core import clock
from incidents.models import Host

STABLE = "stable"  # the release of a record that no candidate answered


class RequestRecord(models.Model):
    """One request as the gateway logged it: no address, no query, no header, ids cut out of the path.

    `masked`: the candidate failed and stable answered in its place, so the user saw no error but the
    candidate made one. `member` is a digest of the release token, to count one user's requests together.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="request_records")
    release = models.CharField(max_length=32, default=STABLE)
    method = models.CharField(max_length=10)
    route = models.CharField(max_length=300)
    status = models.PositiveSmallIntegerField()  # 0: the client left before there was an answer
    ms = models.PositiveIntegerField()
    member = models.CharField(max_length=40, blank=True, default="")
    page = models.BooleanField(default=False)  # the browser loaded a document, not a part of one
    masked = models.BooleanField(default=False)
    trace = models.CharField(max_length=32, blank=True, default="")  # joins a browser's report to it
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["host", "release", "at"], name="record_of_release"),  # the judge
            models.Index(fields=["trace"], name="record_trace"),
            models.Index(fields=["at"], name="record_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.status} ({self.release})"

    @property
    def failed(self) -> bool:
        return self.status >= 500 or self.masked


class Heartbeat(models.Model):
    """When a part that others rely on was last alive."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"


class KillSwitch(models.Model):
    """While a row without `lifted_at` exists nothing new starts, on any host, whatever the broker says."""

    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=120)
    at = models.DateTimeField(default=clock.now)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.reason} ({self.actor})"
