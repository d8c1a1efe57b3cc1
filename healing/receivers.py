"""Wakes healing up. A signal is a hint: the sweep finds whatever a lost one left behind."""

from typing import Any

from django.dispatch import receiver

from flags.signals import replay_wanted, rollout_moved
from healing.models import HealRun
from healing.phases import Phase
from healing.selectors import live_run_of
from healing.services import run_wake
from healing.signals import run_finished
from healing.tasks import heal_answered, heal_hint, heal_open, heal_replay
from incidents.models import Incident
from incidents.phases import Status
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


@receiver(rollout_moved, dispatch_uid="healing.rollout_moved")
def on_rollout_moved(rollout_id: str, **_: Any) -> None:
    """The run looks at the rollout itself; without this it would a few seconds later."""
    for run_id in HealRun.objects.filter(rollout=rollout_id, phase=Phase.ROLLING_OUT).values_list(
        "pk", flat=True
    ):
        run_wake(run_id)
        heal_hint(run_id)


@receiver(replay_wanted, dispatch_uid="healing.replay_wanted")
def on_replay_wanted(rollout_id: str, **_: Any) -> None:
    heal_replay.delay(rollout_id)


@receiver(run_finished, dispatch_uid="healing.finished")
def on_finished(run_id: str, **_: Any) -> None:
    """One user is helped; the incident goes on while another one waits for the same help."""
    incident_id = HealRun.objects.filter(pk=run_id).values_list("incident_id", flat=True).first()
    if Incident.objects.filter(pk=incident_id, status=Status.DIAGNOSING).exists():
        heal_open.delay(str(incident_id))
