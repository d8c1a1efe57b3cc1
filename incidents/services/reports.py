"""Storing a report: from a browser's frame to an incident that is open, in one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from core import clock, redact
from incidents.classify import Facts, kind_of, server_failed, severity_of
from incidents.fingerprint import fingerprint_of, path_pattern
from incidents.models import Incident, IncidentTransition, Report, Session, Severity
from incidents.phases import Status
from incidents.services.incidents import incident_move, incident_tell
from incidents.signals import incident_grew, incident_opened, report_stored, send_on_commit
from incidents.wire import Report as WireReport
from notifications.messages import Kind, Stage

LATE_BY = timedelta(seconds=2)  # less is within what delivery may take


@dataclass(frozen=True)
class Filed:
    """A report as we file it, before anything is written."""

    session: Session
    wire: WireReport
    kind: Kind
    fingerprint: str
    route: str
    payload: dict[str, Any]
    verified: bool


def report_store(*, session: Session, report: WireReport) -> Report:
    """Stores a report once per (session, client_event_id) and opens its incident or lets it grow.

    The same report again returns the stored one and changes nothing. After the commit: signals
    `report_stored` and `incident_opened` or `incident_grew`; the reporter sees `detected` at once.
    """
    known = _known(session, report)
    if known:
        return known
    filed = _file(session, report)
    try:
        with transaction.atomic():
            return _store(filed)
    except IntegrityError:
        # The same report on two sockets at once, or two first reports of one incident: look again.
        known = _known(session, report)
        if known:
            return known
        with transaction.atomic():
            return _store(filed)


def _known(session: Session, report: WireReport) -> Report | None:
    rows = Report.objects.filter(session=session, client_event_id=report.client_event_id)
    return rows.select_related("incident").first()


def _file(session: Session, report: WireReport) -> Filed:
    """Everything that can be worked out without the database, so that the transaction stays short."""
    payload = _scrubbed(report)
    clean = WireReport.model_validate(payload)
    kind = kind_of(clean)
    return Filed(
        session=session,
        wire=clean,
        kind=kind,
        fingerprint=fingerprint_of(clean, kind),
        route=path_pattern(clean.route),
        payload=payload,
        verified=session.is_verified(),
    )


def _scrubbed(report: WireReport) -> dict[str, Any]:
    """The payload without secrets. Shapes (`aaa@aaa.aa`) and ids look like what is scrubbed, and are not."""
    raw = report.model_dump(mode="json")
    clean: dict[str, Any] = redact.scrub(raw)
    clean["client_event_id"] = raw["client_event_id"]
    for action, original in zip(clean["actions"], raw["actions"], strict=True):
        action["shape"] = original["shape"]
    return clean


def _store(filed: Filed) -> Report:
    incident, opened = _incident_for(filed)
    report = Report.objects.create(
        host_id=filed.session.host_id,
        session=filed.session,
        incident=incident,
        client_event_id=filed.wire.client_event_id,
        kind=filed.kind,
        route=filed.route,
        subject=filed.session.subject,
        verified=filed.verified,
        trace_id=filed.wire.trace_id or "",
        payload=filed.payload,
        at=clock.from_ms(filed.wire.at),
        # Read after the incident was (re)opened: a report belongs to the occurrence that it opens.
        received_at=clock.now(),
    )
    _grow(incident, filed)
    send_on_commit(report_stored, report_id=report.pk)
    if incident.status != Status.DISMISSED:
        _tell(incident, filed.session.subject)
        send_on_commit(incident_opened if opened else incident_grew, incident_id=incident.pk)
    return report


def _incident_for(filed: Filed) -> tuple[Incident, bool]:
    """The incident of this fingerprint, locked, and whether this report opened (or reopened) it."""
    rows = Incident.objects.filter(host_id=filed.session.host_id, fingerprint=filed.fingerprint)
    incident = rows.select_for_update().first()
    if incident is None:
        return _open(filed), True
    if incident.status == Status.RESOLVED and not _is_late(incident, filed):
        return incident, _come_back(incident, filed)
    return incident, False


def _open(filed: Filed) -> Incident:
    severity, reasons = severity_of(Facts(filed.kind, int(filed.verified), 1, 0, server_failed(filed.wire)))
    incident = Incident.objects.create(
        host_id=filed.session.host_id,
        fingerprint=filed.fingerprint,
        kind=filed.kind,
        severity=severity,
        severity_reasons=reasons,
        title=_title(filed),
        route=filed.route,
        subject=filed.session.subject,
        verified=filed.verified,
    )
    IncidentTransition.objects.create(
        subject=incident, from_phase="", to_phase=Status.DETECTED, reason="the first report"
    )
    return incident


def _is_late(incident: Incident, filed: Filed) -> bool:
    """A report that the browser kept while it was offline speaks of the time before the remedy.

    The browser's clock may be minutes wrong, so it is set right by the fastest earlier report of the same
    visit; without one nothing is called late, because a comeback that is ignored is the worse mistake.
    """
    resolved = incident.transitions.filter(to_phase=Status.RESOLVED).order_by("-at", "-id").first()
    times = list(filed.session.reports.order_by("-received_at").values_list("received_at", "at")[:20])
    if resolved is None or not times:
        return False
    offset = min(received - at for received, at in times)
    return clock.from_ms(filed.wire.at) + offset + LATE_BY < resolved.at


def _come_back(incident: Incident, filed: Filed) -> bool:
    again = incident.reports.filter(subject=filed.session.subject).exists()
    came_back = incident_move(
        incident.pk,
        Status.DETECTED,
        from_=Status.RESOLVED,
        reason="it came back for the same user" if again else "another user has it",
        extra={
            "opened_at": clock.now(),
            "subject": filed.session.subject,
            "verified": filed.verified,
            "comebacks": F("comebacks") + int(again),
            "question": None,
        },
    )
    incident.refresh_from_db()
    return came_back


def _grow(incident: Incident, filed: Filed) -> None:
    """Counts and severity. The severity only rises: an owner who was woken should see why."""
    reports = incident.reports.all()
    users = reports.values("subject").distinct().count()
    verified_users = reports.filter(verified=True).values("subject").distinct().count()
    severity, reasons = severity_of(
        Facts(
            Kind(incident.kind),
            verified_users,
            incident.report_count + 1,
            incident.comebacks,
            server_failed(filed.wire),
        )
    )
    values: dict[str, Any] = {
        "report_count": F("report_count") + 1,
        "user_count": users,
        "last_seen": clock.now(),
    }
    if severity < Severity(incident.severity):
        values |= {"severity": severity, "severity_reasons": reasons}
    if filed.verified and not incident.verified:
        # From here on it may be healed, and the account to heal on is the one that is vouched for.
        values |= {"verified": True, "subject": filed.session.subject}
    Incident.objects.filter(pk=incident.pk).update(**values)
    incident.refresh_from_db()


def _tell(incident: Incident, subject: str) -> None:
    stage = Stage.ESCALATED if incident.status == Status.ESCALATED else Stage.DETECTED
    if incident.status != Status.RESOLVED:
        incident_tell(incident.pk, stage, only=[subject])


_TITLES = {
    Kind.SILENT_FAILURE: "{what} does nothing",
    Kind.ERROR: "{what} fails",
    Kind.SLOW_RESPONSE: "{what} is slow",
    Kind.DATA_INCONSISTENCY: "{what} shows wrong data",
    Kind.AUTH_ISSUE: "Logging in does not hold",
    Kind.BILLING_ISSUE: "{what}: money or credits are wrong",
    Kind.UX_CONFUSION: "{what} confuses",
    Kind.USER_REPORTED: "A user wrote to us",
}


def _title(filed: Filed) -> str:
    """For the owner. The element's name is a visitor's word: it is shown as text, and nothing else."""
    element = filed.wire.element.name if filed.wire.element else None
    what = f"“{element[:60]}”" if element else (filed.wire.expectation.name if filed.wire.expectation else "")
    title = _TITLES[filed.kind].format(what=what or "The page")
    return f"{title} on {filed.route}"[:200] if filed.route else title
