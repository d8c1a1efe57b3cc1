"""Everything that others read of this app."""

from typing import Any

from django.db.models import Q

from core.errors import NotFound
from incidents.models import Host, Incident, Outcome, Report, ServerEvent, Session

EVIDENCE_REPORTS = 20
EVIDENCE_EVENTS = 20
EVIDENCE_OUTCOMES = 20


def host_by_key(public_key: str) -> Host | None:
    """The host that a browser's key names; None for an unknown key."""
    return Host.objects.filter(public_key=public_key).first()


def incident_for_viewer(viewer: Session, incident_id: str) -> Incident:
    """The one door to an incident for a browser: it must have been reported by this user or this visit.

    Raises NotFound, the same for missing and for somebody else's.
    """
    own = Q(reports__subject=viewer.subject) | Q(reports__session=viewer)
    incident = Incident.objects.filter(own, pk=incident_id, host_id=viewer.host_id).distinct().first()
    if incident is None:
        raise NotFound("There is no such incident.")
    return incident


def subjects_of_incident(incident_id: str, *, ever: bool = False) -> list[str]:
    """The affected users (as feed subjects) of the present occurrence, or of all; first reporter first."""
    rows = Report.objects.filter(incident_id=incident_id).order_by("received_at", "id")
    if not ever:
        opened_at = Incident.objects.filter(pk=incident_id).values_list("opened_at", flat=True).first()
        rows = rows.filter(received_at__gte=opened_at) if opened_at else rows
    return list(dict.fromkeys(rows.values_list("subject", flat=True)))


def report_latest(incident_id: str, *, subject: str | None = None) -> Report | None:
    """The newest report of an incident (of one user); the one whose actions a scenario is compiled from."""
    rows = Report.objects.filter(incident_id=incident_id)
    rows = rows.filter(subject=subject) if subject else rows
    return rows.order_by("-received_at", "-id").first()


def user_of_subject(subject: str) -> str | None:
    """The host's own user id in a subject, None for an anonymous visit."""
    _, found, user = subject.partition(":user:")
    return user if found else None


def trace_ids_of(payload: dict[str, Any]) -> list[str]:
    """The trace ids that a report names, its own first."""
    ids = [payload.get("trace_id"), *(r.get("trace_id") for r in payload.get("requests") or [])]
    return list(dict.fromkeys(i for i in ids if i))


def server_events_of(reports: list[Report]) -> list[ServerEvent]:
    """What the server said in the same traces, oldest first, whichever side arrived first."""
    traces = {(r.host_id, trace) for r in reports for trace in trace_ids_of(r.payload)}
    found = ServerEvent.objects.filter(
        host_id__in={host for host, _ in traces}, trace_id__in={trace for _, trace in traces}
    )
    return list(found.order_by("at", "id")[:EVIDENCE_EVENTS])


def outcomes_for(host_id: int, route: str, element: str) -> list[Outcome]:
    """How this element behaves when it works, the most common shape first."""
    found = Outcome.objects.filter(host_id=host_id, route=route, element=element)
    return list(found.order_by("-count", "-last_seen")[:EVIDENCE_OUTCOMES])


def evidence_for_incident(incident_id: str) -> dict[str, Any]:
    """All that is known of an incident, every part marked by who could have written it.

    `trust`: "attacker" (a browser, whoever sits at it), "server" (the host's server, with its own key),
    "ours". Newest reports first; `upstream` are the server's exchanges in those traces, oldest first.
    Raises NotFound.
    """
    incident = Incident.objects.filter(pk=incident_id).select_related("host").first()
    if incident is None:
        raise NotFound("There is no such incident.")
    rows = incident.reports.select_related("session").order_by("-received_at", "-id")
    reports = list(rows[:EVIDENCE_REPORTS])
    events = server_events_of(reports)
    newest = reports[0] if reports else None
    element = ((newest.payload.get("element") or {}) if newest else {}).get("fingerprint", "")
    outcomes = outcomes_for(incident.host_id, newest.route, element) if newest else []
    return {
        "incident": _incident_facts(incident),
        "reports": [_report_facts(report) for report in reports],
        "server_events": [_event_facts(event) for event in events],
        "upstream": [
            {"trust": _event_trust(event), **exchange} for event in events for exchange in event.upstream
        ],
        "outcomes": [
            {"trust": "attacker", "count": o.count, "users": len(o.users), "payload": o.payload}
            for o in outcomes
        ],
        "session": _session_facts(newest.session) if newest else None,
    }


def _incident_facts(incident: Incident) -> dict[str, Any]:
    return {
        "trust": "ours",
        "id": incident.pk,
        "host": incident.host_id,
        "kind": incident.kind,
        "severity": incident.severity,
        "status": incident.status,
        "route": incident.route,
        "fingerprint": incident.fingerprint,
        "subject": incident.subject,
        "user": user_of_subject(incident.subject),
        "verified": incident.verified,
        "report_count": incident.report_count,
        "user_count": incident.user_count,
        "comebacks": incident.comebacks,
    }


def _report_facts(report: Report) -> dict[str, Any]:
    return {
        "trust": "attacker",
        "id": report.pk,
        "subject": report.subject,
        "verified": report.verified,
        "received_at": report.received_at,
        "recordings": report.recordings.count(),
        "payload": report.payload,
    }


def _event_facts(event: ServerEvent) -> dict[str, Any]:
    return {
        "trust": _event_trust(event),
        "id": event.pk,
        "trace_id": event.trace_id,
        "title": event.title,
        "release": event.release,
        "at": event.at,
        "event": event.event,
    }


def _event_trust(event: ServerEvent) -> str:
    return "server" if event.from_server else "attacker"


def _session_facts(session: Session) -> dict[str, Any]:
    return {
        "trust": "attacker",
        "id": session.pk,
        "user": session.user or None,
        "verified": session.is_verified(),
        "locale": session.locale,
        "user_agent": session.user_agent,
    }
