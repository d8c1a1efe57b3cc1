"""One problem: reports with the same fingerprint, one status, one history."""

from django.db import models

from core import clock, ids
from core.transitions import Transition
from incidents.models.host import Host
from incidents.phases import Status
from notifications.messages import Kind


class Severity(models.TextChoices):
    """What the owner is woken for; classify.py has the rules."""

    P0 = "P0"  # many users or everyone: wake somebody
    P1 = "P1"  # money, logging in, or a core action is broken for somebody
    P2 = "P2"  # something is broken, there is a way around
    P3 = "P3"  # an annoyance


def new_incident_id() -> str:
    return ids.new_id("inc")


class Incident(models.Model):
    """`subject` is the user who reported the present occurrence first: the one whose account is cloned.

    `opened_at` is when this occurrence began: a comeback sets it anew, so that users who were helped last
    time are not told again. Counts are over the whole life.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_incident_id, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="incidents")
    fingerprint = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind)
    severity = models.CharField(max_length=2, choices=Severity)
    severity_reasons = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.DETECTED)
    title = models.CharField(max_length=200)
    route = models.CharField(max_length=300, blank=True, default="")
    subject = models.CharField(max_length=255)
    verified = models.BooleanField(default=False)  # some report of this occurrence has a verified user
    report_count = models.PositiveIntegerField(default=0)
    user_count = models.PositiveIntegerField(default=0)
    comebacks = models.PositiveIntegerField(default=0)
    first_seen = models.DateTimeField(default=clock.now)
    last_seen = models.DateTimeField(default=clock.now)
    opened_at = models.DateTimeField(default=clock.now)
    question = models.JSONField(null=True, blank=True)  # the one that waits for an answer
    rating = models.PositiveSmallIntegerField(null=True, blank=True)  # the last user's stars

    class Meta:
        constraints = [
            # One incident per trouble for ever; a comeback reopens it, so its history stays in one place.
            models.UniqueConstraint(fields=["host", "fingerprint"], name="incident_one_per_fingerprint"),
        ]
        indexes = [
            models.Index(fields=["status", "severity", "-last_seen"], name="incident_console_home"),
            models.Index(fields=["last_seen"], name="incident_retention"),
            models.Index(fields=["subject"], name="incident_of_subject"),  # a visitor logs in
        ]

    def __str__(self) -> str:
        return f"{self.severity} {self.title}"

    @property
    def phase(self) -> Status:
        return Status(self.status)


class IncidentTransition(Transition):
    """The incident's timeline and audit."""

    subject = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="transitions")

    class Meta(Transition.Meta):
        indexes = [models.Index(fields=["subject", "at"], name="incident_timeline")]
