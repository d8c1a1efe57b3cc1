"""What is old is deleted, unless somebody still works with it."""

from datetime import timedelta

import pytest

from core import clock
from incidents.models import Feedback, Incident, IntakeCount, Outcome, Recording, Report, ServerEvent, Session
from incidents.retention import retention_run
from incidents.services import incident_move, outcome_store, report_store, server_event_store
from incidents.tasks import retention
from incidents.wire import Outcome as WireOutcome
from notifications.models import FeedEntry

OLD = clock.now() - timedelta(days=100)


@pytest.fixture
def report(host, session_of, make_report):
    """A report with all that hangs on it."""
    alice = session_of("alice")
    wire = make_report()
    stored = report_store(session=alice, report=wire)
    Recording.objects.create(report=stored, seq=0, sha256="0" * 64, blob=b"x")
    server_event_store(host=host, event={"event_id": "a" * 32}, trusted=True)
    outcome_store(session=alice, outcome=WireOutcome(route="/", element=wire.element, at=1))
    return stored


def age(at=OLD):
    Session.objects.update(last_seen=at)
    Report.objects.update(received_at=at)
    Incident.objects.update(last_seen=at)
    Recording.objects.update(at=at)
    ServerEvent.objects.update(at=at)
    Outcome.objects.update(last_seen=at)


ALL = [Session, Report, Incident, Recording, ServerEvent, Outcome, FeedEntry, Feedback]


def test_what_is_fresh_stays(report):
    incident_move(report.incident_id, "resolved", reason="it holds")
    before = {model: model.objects.count() for model in ALL}
    assert set(retention_run().values()) == {0}
    assert {model: model.objects.count() for model in ALL} == before


def test_what_is_old_and_settled_goes_without_a_trace(report):
    incident_move(report.incident_id, "resolved", reason="it holds")
    age()
    assert retention()["incidents"] == 1
    assert {model.__name__: model.objects.count() for model in ALL} == {m.__name__: 0 for m in ALL}
    assert set(retention().values()) == {0}, "running twice deletes nothing twice"


def test_an_open_incident_keeps_its_evidence(report):
    age()
    retention_run()
    assert Report.objects.exists()
    assert Recording.objects.exists()
    assert FeedEntry.objects.exists()


def test_recordings_go_first(report):
    incident_move(report.incident_id, "resolved", reason="it holds")
    age(clock.now() - timedelta(days=15))
    assert retention_run()["recordings"] == 1
    assert Report.objects.exists()


def test_the_counters_of_long_ago_go(host):
    for days in (91, 89, 0):
        day = (clock.now() - timedelta(days=days)).date()
        IntakeCount.objects.create(host=host, day=day, name="item.session", count=1)
    assert retention_run()["intake_counts"] == 1
    assert IntakeCount.objects.count() == 2


def test_many_rows_go_in_steps(report, monkeypatch):
    monkeypatch.setattr("incidents.retention.BATCH", 2)
    for number in range(5):
        ServerEvent.objects.create(host=report.host, event_id=str(number), event={})
    age()
    assert retention_run()["server_events"] == 6
