"""What users and their browsers told us."""

from django.db import models

from core import clock, ids
from incidents.models.host import Host
from incidents.models.incident import Incident
from incidents.models.session import Session
from notifications.messages import Kind


def new_report_id() -> str:
    return ids.new_id("rep")


class Report(models.Model):
    """One thing that went wrong in one browser. `payload` is the validated, scrubbed Report of the wire:
    every word in it could have been written by an attacker.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_report_id, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="reports")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="reports")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="reports")
    client_event_id = models.CharField(max_length=36)
    kind = models.CharField(max_length=20, choices=Kind)  # as classified; payload["kind"] is what came
    route = models.CharField(max_length=300, blank=True, default="")
    subject = models.CharField(max_length=255)
    verified = models.BooleanField(default=False)  # a host-signed identity vouched for the sender
    trace_id = models.CharField(max_length=32, blank=True, default="")
    release = models.CharField(max_length=64, blank=True, default="")
    payload = models.JSONField()
    at = models.DateTimeField()  # the browser's clock; never trusted for order
    received_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            # A browser resends until it gets the ack: the second copy must find the first.
            models.UniqueConstraint(fields=["session", "client_event_id"], name="report_once"),
        ]
        indexes = [
            models.Index(fields=["incident", "received_at"], name="report_of_incident"),
            models.Index(fields=["subject", "received_at"], name="report_of_subject"),  # flags' judge
            models.Index(fields=["trace_id"], name="report_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.route}"


class FeedbackKind(models.TextChoices):
    ANSWER = "answer"  # to a question of ours
    RATING = "rating"  # one to five stars at the end
    TRY_AGAIN = "try_again"  # the user pressed the button


class Feedback(models.Model):
    """What an affected user told us about an incident."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="feedback")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="feedback")
    client_event_id = models.CharField(max_length=36)
    kind = models.CharField(max_length=10, choices=FeedbackKind)
    subject = models.CharField(max_length=255)
    verified = models.BooleanField(default=False)
    question = models.CharField(max_length=40, blank=True, default="")
    choice = models.CharField(max_length=40, blank=True, default="")
    text = models.TextField(blank=True, default="")
    stars = models.PositiveSmallIntegerField(null=True, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "client_event_id"], name="feedback_once"),
        ]
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.kind} on {self.incident_id}"
