"""How long we keep what users sent us."""

from datetime import timedelta
from typing import Any

from django.db.models import Model, QuerySet

from core import clock
from incidents.models import Incident, IntakeCount, Outcome, Recording, Report, ServerEvent, Session
from incidents.phases import Status
from notifications.feed import feed_forget

BATCH = 500  # rows per DELETE, so that no report waits long for this one

RECORDINGS = timedelta(days=14)
EVIDENCE = timedelta(days=90)  # incidents, reports, server events, outcomes, visits, counters

OPEN = [status for status in Status if not status.is_settled]


def retention_run() -> dict[str, int]:
    """Deletes what is older than its limit, in small steps; returns how many rows of each sort.

    An open incident keeps its evidence however old it is: somebody is still working with it.
    """
    now = clock.now()
    old = now - EVIDENCE
    recordings = Recording.objects.filter(at__lt=now - RECORDINGS)
    reports = Report.objects.filter(received_at__lt=old)
    incidents = Incident.objects.filter(last_seen__lt=old)
    return {
        "recordings": _delete(recordings.exclude(report__incident__status__in=OPEN)),
        "incidents": _delete_incidents(incidents.exclude(status__in=OPEN)),
        "reports": _delete(reports.exclude(incident__status__in=OPEN)),
        "server_events": _delete(ServerEvent.objects.filter(at__lt=old)),
        "outcomes": _delete(Outcome.objects.filter(last_seen__lt=old)),
        "sessions": _delete(Session.objects.filter(last_seen__lt=old, reports=None, feedback=None)),
        "intake_counts": _delete(IntakeCount.objects.filter(day__lt=old.date())),
    }


def _delete(rows: QuerySet[Any]) -> int:
    """Deletes in batches, each a transaction of its own; counts `rows`, not what hangs on them."""
    model: type[Model] = rows.model
    deleted = 0
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted


def _delete_incidents(rows: QuerySet[Incident]) -> int:
    for incident_id in rows.values_list("pk", flat=True).iterator():
        feed_forget(topic=incident_id)
    return _delete(rows)
