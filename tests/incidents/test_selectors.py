"""The one door to an incident, and what healing is told of it."""

import pytest

from core.errors import NotFound
from incidents.models import Host, Incident
from incidents.selectors import (
    evidence_for_incident,
    incident_for_viewer,
    report_latest,
    subjects_of_incident,
    user_of_subject,
)
from incidents.services import (
    host_add,
    incident_move,
    outcome_store,
    report_store,
    server_event_store,
    session_open,
)
from incidents.wire import Outcome


@pytest.fixture
def alice(session_of):
    return session_of("alice")


@pytest.fixture
def incident(alice, make_report):
    return report_store(session=alice, report=make_report()).incident


def test_who_reported_it_may_see_it_from_any_browser(incident, alice, session_of):
    assert incident_for_viewer(alice, incident.pk) == incident
    assert incident_for_viewer(session_of("alice"), incident.pk) == incident


def test_a_visitor_sees_what_this_visit_reported(session_of, make_report):
    visitor = session_of()
    found = report_store(session=visitor, report=make_report()).incident
    assert incident_for_viewer(visitor, found.pk) == found
    with pytest.raises(NotFound):
        incident_for_viewer(session_of(), found.pk)


@pytest.mark.parametrize("who", ["mallory", "alic", "alice2", "ALICE", "", None])
def test_nobody_else_may_see_it(incident, session_of, who):
    with pytest.raises(NotFound):
        incident_for_viewer(session_of(who), incident.pk)


def test_a_user_of_the_same_name_at_another_host_may_not(incident):
    from hostkit.identity import identity_token
    from incidents.identity import identity_verify

    other = Host.objects.create(name="Other", slug="other", base_url="http://o")
    identity = identity_verify(other, identity_token(other.secret, "other", "alice"))
    with pytest.raises(NotFound):
        incident_for_viewer(session_open(host=other, identity=identity).session, incident.pk)


@pytest.mark.parametrize("missing", ["inc_" + "0" * 20, "", "%", "1' OR 1=1"])
def test_missing_and_forbidden_are_one_answer(incident, alice, session_of, missing):
    with pytest.raises(NotFound) as none:
        incident_for_viewer(alice, missing)
    with pytest.raises(NotFound) as foreign:
        incident_for_viewer(session_of("mallory"), incident.pk)
    assert none.value.as_json() == foreign.value.as_json()


def test_a_user_who_shares_the_incident_may_see_it(incident, session_of, make_report):
    bob = session_of("bob")
    report_store(session=bob, report=make_report())
    assert incident_for_viewer(bob, incident.pk) == incident
    assert subjects_of_incident(incident.pk) == [incident.subject, bob.subject]


def test_the_affected_are_those_of_the_present_occurrence(incident, alice, session_of, make_report):
    incident_move(incident.pk, "resolved", reason="it holds")
    bob = session_of("bob")
    report_store(session=bob, report=make_report())
    assert subjects_of_incident(incident.pk) == [bob.subject]
    assert subjects_of_incident(incident.pk, ever=True) == [alice.subject, bob.subject]


def test_the_newest_report_of_one_user(incident, alice, session_of, make_report):
    report_store(session=session_of("bob"), report=make_report())
    newest = report_store(session=alice, report=make_report())
    report_store(session=session_of("carl"), report=make_report())
    assert report_latest(incident.pk, subject=alice.subject) == newest
    assert report_latest(incident.pk).subject.endswith(":carl")


def test_evidence_names_who_could_have_written_it(host, incident, session_of, make_report):
    trace = "a" * 32
    report_store(session=session_of("bob"), report=make_report(trace_id=trace))
    event = {"event_id": "b" * 32, "message": "it broke", "contexts": {"trace": {"trace_id": trace}}}
    server_event_store(host=host, event=event, trusted=True)
    server_event_store(host=host, event=event | {"event_id": "c" * 32}, trusted=False)
    element = make_report().element
    outcome = Outcome(route="/studio", element=element, at=1)
    outcome_store(session=session_of("carl"), outcome=outcome)
    evidence = evidence_for_incident(incident.pk)
    assert evidence["incident"]["trust"] == "ours"
    assert {r["trust"] for r in evidence["reports"]} == {"attacker"}
    assert [e["trust"] for e in evidence["server_events"]] == ["server", "attacker"]
    assert [(o["trust"], o["count"]) for o in evidence["outcomes"]] == [("attacker", 1)]
    assert evidence["session"]["user"] == "bob"


def test_evidence_does_not_cross_hosts(host, incident, session_of, make_report):
    trace = "a" * 32
    report_store(session=session_of("bob"), report=make_report(trace_id=trace))
    other = Host.objects.create(name="Other", slug="other", base_url="http://o")
    event = {"event_id": "b" * 32, "contexts": {"trace": {"trace_id": trace}}}
    server_event_store(host=other, event=event, trusted=True)
    assert evidence_for_incident(incident.pk)["server_events"] == []


def test_evidence_of_nothing_is_not_found(db):
    with pytest.raises(NotFound):
        evidence_for_incident("inc_none")


@pytest.mark.parametrize(
    ("subject", "user"),
    [("host:1:user:u1", "u1"), ("host:1:user:a:user:b", "a:user:b"), ("host:1:session:ses_1", None)],
)
def test_the_user_in_a_subject(subject, user):
    assert user_of_subject(subject) == user


def test_a_hosts_secret_is_not_readable_in_the_database(db):
    from django.db import connection

    host = host_add(name="F", slug="f", base_url="http://f", origins=["https://f.example"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM incidents_host WHERE id = %s", [host.pk])
        (stored,) = cursor.fetchone()
    assert host.secret not in stored
    assert Host.objects.get(pk=host.pk).secret == host.secret


def test_a_wrong_secret_key_says_so_instead_of_giving_nonsense(db, settings):
    from django.core.exceptions import ImproperlyConfigured

    host = host_add(name="F", slug="f", base_url="http://f", origins=["https://f.example"])
    settings.SECRET_KEY = "another"
    with pytest.raises(ImproperlyConfigured, match="can't be read"):
        Host.objects.get(pk=host.pk)
    settings.SECRET_KEY_FALLBACKS = ["a-key-for-tests-only-and-nowhere-else"]
    assert Host.objects.get(pk=host.pk).secret == host.secret


def test_an_incidents_owner_title_holds_the_words_as_text(session_of, make_report):
    report = make_report(
        element={"tag": "a", "fingerprint": "a", "name": "<script>alert(1)</script>" * 9, "locators": []}
    )
    report_store(session=session_of("alice"), report=report)
    assert len(Incident.objects.get().title) <= 200
