"""From a report to an incident."""

from incidents import signals
from incidents.models import Incident, Report
from incidents.services import incident_move, incident_tell, report_store
from notifications.feed import feed_snapshot


def test_a_report_opens_an_incident_and_its_user_is_told_at_once(session_of, make_report):
    alice = session_of("alice")
    report = report_store(session=alice, report=make_report())
    (state,) = feed_snapshot(alice.subject)
    assert (state.incident, state.stage, state.version) == (report.incident_id, "detected", 1)


def test_the_same_report_again_is_stored_once_and_says_nothing(session_of, make_report):
    alice, report = session_of("alice"), make_report()
    first = report_store(session=alice, report=report)
    again = report_store(session=alice, report=report)
    assert first.pk == again.pk
    assert Incident.objects.get().report_count == 1
    assert feed_snapshot(alice.subject)[0].version == 1


def test_two_users_with_the_same_trouble_share_one_incident(session_of, make_report):
    for user in ("alice", "bob"):
        report_store(session=session_of(user), report=make_report())
    incident = Incident.objects.get()
    assert (incident.report_count, incident.user_count) == (2, 2)


def test_a_comeback_tells_only_who_has_it_now(session_of, make_report):
    alice, bob = session_of("alice"), session_of("bob")
    incident = report_store(session=alice, report=make_report()).incident
    assert incident_move(incident.pk, "resolved", reason="the runbook held")
    report_store(session=bob, report=make_report())
    incident_tell(incident.pk, "diagnosing")
    incident.refresh_from_db()
    assert (incident.status, incident.subject) == ("detected", bob.subject)
    assert feed_snapshot(bob.subject)[0].stage == "diagnosing"
    assert feed_snapshot(alice.subject)[0].stage == "detected"


def test_signals_come_after_the_commit(session_of, make_report, django_capture_on_commit_callbacks):
    heard = []
    receiver = lambda incident_id, **_: heard.append(Incident.objects.get(pk=incident_id))  # noqa: E731
    signals.incident_opened.connect(receiver)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            report_store(session=session_of("alice"), report=make_report())
            assert heard == []
    finally:
        signals.incident_opened.disconnect(receiver)
    assert len(heard) == 1


def test_secrets_are_scrubbed_before_storing(session_of, make_report):
    stored = report_store(
        session=session_of(),
        report=make_report(text="I am mia@forge.example", message="card 4111 1111 1111 1111"),
    )
    row = Report.objects.get(pk=stored.pk)
    assert "mia@" not in str(row.payload)
    assert "4111" not in str(row.payload)
