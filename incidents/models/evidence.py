"""What stands beside the reports: recordings, what the server said, and how it looks when it works."""

from django.db import models

from core import clock
from incidents.models.host import Host
from incidents.models.report import Report


class Recording(models.Model):
    """One chunk of a replay: gzip bytes that are never parsed where a request could be made to wait."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="recordings")
    seq = models.PositiveIntegerField()
    last = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64)
    blob = models.BinaryField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "seq"], name="recording_chunk_once")]
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"chunk {self.seq} of {self.report_id}"


class ServerEvent(models.Model):
    """An event that the host's own server sent through a Sentry SDK, scrubbed.

    Joined to browser reports by `trace_id`, whichever came first. `upstream` are the HTTP exchanges with
    the host's services just before: [{"method", "host", "path", "status", "retry_after"}], oldest first.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="server_events")
    event_id = models.CharField(max_length=32)
    trace_id = models.CharField(max_length=32, blank=True, default="")
    level = models.CharField(max_length=16, blank=True, default="error")
    title = models.CharField(max_length=300, blank=True, default="")
    fingerprint = models.CharField(max_length=80, blank=True, default="")
    release = models.CharField(max_length=64, blank=True, default="")
    environment = models.CharField(max_length=64, blank=True, default="")
    from_server = models.BooleanField(default=True)  # named the DSN key, which no browser knows
    event = models.JSONField()
    upstream = models.JSONField(default=list, blank=True)
    at = models.DateTimeField(default=clock.now)  # when we received it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "event_id"], name="server_event_once")]
        indexes = [
            models.Index(fields=["trace_id"], name="server_event_trace"),
            models.Index(fields=["host", "release", "at"], name="server_event_release"),  # flags' judge
            models.Index(fields=["at"], name="server_event_retention"),
        ]

    def __str__(self) -> str:
        return self.title or self.event_id


class Outcome(models.Model):
    """How an action looks when it works: what other users' browsers saw, one row per element and shape.

    The positive oracle of a scenario is taken from here, so the shape (requests, navigation, what
    appeared) is part of the key and `count` says how common it is.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="outcomes")
    route = models.CharField(max_length=300)
    element = models.CharField(max_length=200)  # the element's fingerprint
    shape = models.CharField(max_length=64)  # hash of what happened, times left out
    payload = models.JSONField()  # the latest Outcome of this shape
    count = models.PositiveIntegerField(default=1)
    users = models.JSONField(default=list, blank=True)  # hashes of up to 20 subjects who saw it
    first_seen = models.DateTimeField(default=clock.now)
    last_seen = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["host", "route", "element", "shape"], name="outcome_one_per_shape"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.element} on {self.route}: {self.count} times"


class IntakeCount(models.Model):
    """How often something was let go at the door, per host and day: dropped fields, refusals, other items."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="intake_counts")
    day = models.DateField()
    name = models.CharField(max_length=60)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "day", "name"], name="intake_count_one_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.count} on {self.day}"
