"""What the owner can do with an incident."""

from django.urls import reverse

from console.acts.base import Act, Ask, Asked, act_register
from core.errors import NotFound, Refused
from incidents.models import Incident
from incidents.services import incident_dismiss, incident_reopen


def incident_get(incident_id: str) -> Incident:
    incident = Incident.objects.filter(pk=incident_id).select_related("host").first()
    if incident is None:
        raise NotFound("There is no such incident.")
    return incident


def incident_facts(incident: Incident) -> list[tuple[str, str]]:
    return [
        ("Incident", incident.title),
        ("Host", incident.host.name),
        ("Affected", f"{incident.user_count} users, {incident.report_count} reports"),
        ("Now", incident.phase.label),
    ]


def incident_url(incident_id: str) -> str:
    return reverse("admin:incident", args=[incident_id])


def _dismiss_ask(incident_id: str) -> Ask:
    incident = incident_get(incident_id)
    return Ask(
        title="Dismiss as a false positive",
        says="Nothing is wrong here. Further reports of the same are counted, and no user is told.",
        button="Dismiss",
        back=incident_url(incident_id),
        facts=incident_facts(incident),
    )


def _dismiss(asked: Asked) -> str:
    if not incident_dismiss(
        asked.subject, actor=asked.actor, reason=asked.reason or "a false positive, says the owner"
    ):
        raise Refused("The incident moved on meanwhile. Look at it again.")
    return "Dismissed as a false positive."


def _reopen_ask(incident_id: str) -> Ask:
    incident = incident_get(incident_id)
    return Ask(
        title="Take it up again",
        says="The incident becomes open again, and is healed as if it had just been reported.",
        button="Reopen",
        back=incident_url(incident_id),
        facts=incident_facts(incident),
    )


def _reopen(asked: Asked) -> str:
    if not incident_reopen(asked.subject, actor=asked.actor, reason=asked.reason or "reopened by the owner"):
        raise Refused("The incident is open already.")
    return "The incident is open again."


act_register(Act("dismiss", _dismiss_ask, _dismiss))
act_register(Act("reopen", _reopen_ask, _reopen))
