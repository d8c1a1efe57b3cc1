"""Wakes healing up. A signal is a hint: the sweep finds whatever a lost one left behind."""

from typing import Any

from django.dispatch import receiver

from healing.selectors import live_run_of
from healing.tasks import heal_answered, heal_open
from incidents.models import Incident
from incidents.signals import incident_answered, incident_grew, incident_opened


@receiver(incident_opened, dispatch_uid="healing.opened")
def on_opened(incident_id: str, **_: Any) -> None:
    heal_open.delay(incident_id)


@receiver(incident_grew, dispatch_uid="healing.grew")
def on_grew(incident_id: str, **_: Any) -> None:
    """New evidence re-opens what was given up for want of it: now somebody verified has the trouble."""
    incident = Incident.objects.filter(pk=incident_id).first()
    if incident is None or live_run_of(incident_id) is not None:
        return
    last = incident.heal_runs.order_by("-created_at").first()
    if last is not None and not last.verified and incident.reports.filter(verified=True).exists():
        heal_open.delay(incident_id)


@receiver(incident_answered, dispatch_uid="healing.answered")
def on_answered(incident_id: str, **_: Any) -> None:
    heal_answered.delay(incident_id)
