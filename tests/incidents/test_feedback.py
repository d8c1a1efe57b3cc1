"""Asking a user, and hearing back."""

import uuid

import pytest

from incidents import signals
from incidents.intake import Visit, frame_take
from incidents.models import Feedback, Incident
from incidents.phases import Status
from incidents.services import (
    answer_store,
    incident_ask,
    incident_move,
    incident_tell,
    rating_store,
    report_store,
    try_again_store,
)
from incidents.wire import AnswerFrame, FrameRefused, RatingFrame, TryAgainFrame
from notifications.feed import feed_entry, feed_seen

QUESTION = {
    "id": "q1",
    "text": "Shall we log you in afresh?",
    "choices": [{"id": "yes", "label": "Yes, please"}, {"id": "no", "label": "No, thanks"}],
    "free_text": False,
}


@pytest.fixture
def alice(session_of):
    return session_of("alice")


@pytest.fixture
def incident(alice, make_report):
    found = report_store(session=alice, report=make_report()).incident
    incident_move(found.pk, Status.DIAGNOSING, reason="a run began")
    return found


@pytest.fixture
def heard():
    calls = []

    def listen(**values):
        calls.append({k: v for k, v in values.items() if k not in {"signal", "sender"}})

    for signal in (signals.incident_answered, signals.incident_rated):
        signal.connect(listen, weak=False)
    yield calls
    for signal in (signals.incident_answered, signals.incident_rated):
        signal.disconnect(listen)


def answer(incident, **values):
    frame = {
        "type": "answer",
        "incident": incident.pk,
        "question": "q1",
        "choice": "yes",
        "client_event_id": str(uuid.uuid4()),
    }
    return AnswerFrame.model_validate(frame | values)


def test_a_question_reaches_the_affected_user_and_the_answer_whoever_asked(
    alice, incident, heard, session_of, make_report, django_capture_on_commit_callbacks
):
    bob = session_of("bob")
    report_store(session=bob, report=make_report())
    incident_ask(incident.pk, QUESTION)
    asked = feed_entry(alice.subject, incident.pk)
    assert (asked.stage, asked.question.id) == ("needs_input", "q1")
    assert feed_entry(bob.subject, incident.pk).question is None, "it is alice's account"
    incident.refresh_from_db()
    assert incident.status == Status.NEEDS_INPUT
    with django_capture_on_commit_callbacks(execute=True):
        answer_store(session=alice, frame=answer(incident))
    assert heard == [{"incident_id": incident.pk, "question": "q1", "choice": "yes", "text_present": False}]
    assert feed_entry(alice.subject, incident.pk).question is None, "every tab stops asking"


def test_the_same_answer_again_wakes_nobody_twice(alice, incident, heard, django_capture_on_commit_callbacks):
    incident_ask(incident.pk, QUESTION)
    frame = answer(incident)
    with django_capture_on_commit_callbacks(execute=True):
        first = answer_store(session=alice, frame=frame)
        assert answer_store(session=alice, frame=frame).pk == first.pk
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"question": "q2"}, "not_found"),
        ({"choice": "maybe"}, "invalid_frame"),
        ({"choice": None, "text": "whatever"}, "invalid_frame"),
    ],
)
def test_an_answer_that_does_not_fit_the_question_is_refused(alice, incident, wrong, code):
    incident_ask(incident.pk, QUESTION)
    with pytest.raises(FrameRefused) as refusal:
        answer_store(session=alice, frame=answer(incident, **wrong))
    assert refusal.value.code == code
    assert not Feedback.objects.exists()


def test_bob_can_not_answer_what_alice_was_asked(incident, session_of, make_report):
    bob = session_of("bob")
    report_store(session=bob, report=make_report())
    incident_ask(incident.pk, QUESTION)
    with pytest.raises(FrameRefused) as refusal:
        answer_store(session=bob, frame=answer(incident))
    assert refusal.value.code == "not_found"
    assert Incident.objects.get().question is not None


def test_free_text_is_taken_where_it_was_offered_and_scrubbed(alice, incident):
    incident_ask(incident.pk, QUESTION | {"free_text": True})
    stored = answer_store(
        session=alice, frame=answer(incident, choice=None, text="mail me at alice@forge.example")
    )
    assert stored.text == "mail me at [scrubbed]"


def test_stars_are_stored_and_asked_for_once(alice, incident, heard, django_capture_on_commit_callbacks):
    incident_move(incident.pk, Status.RESOLVED, reason="it holds")
    incident_tell(incident.pk, "resolved", ask_rating=True)
    frame = RatingFrame(type="rating", incident=incident.pk, stars=5, client_event_id=str(uuid.uuid4()))
    with django_capture_on_commit_callbacks(execute=True):
        rating_store(session=alice, frame=frame)
        rating_store(session=alice, frame=frame)
    state = feed_entry(alice.subject, incident.pk)
    assert (state.stage, state.ask_rating) == ("resolved", False)
    assert heard == [{"incident_id": incident.pk, "stars": 5}]
    incident.refresh_from_db()
    assert incident.rating == 5


def test_trying_again_is_noted_once(alice, incident):
    frame = TryAgainFrame(type="try_again", incident=incident.pk, client_event_id=str(uuid.uuid4()))
    assert try_again_store(session=alice, frame=frame).pk == try_again_store(session=alice, frame=frame).pk


def test_what_was_put_away_is_shown_on_no_device_again_until_there_is_news(alice, incident, session_of):
    incident_move(incident.pk, Status.RESOLVED, reason="it holds")
    incident_tell(incident.pk, "resolved")
    shown = feed_entry(alice.subject, incident.pk)
    visit = Visit(alice.host, alice, "capability", "127.0.0.1")
    seen = {"type": "seen", "incident": incident.pk, "version": shown.version}
    assert "seen" not in visit.snapshot().wire()["incidents"][-1]

    assert frame_take(visit, seen) == []
    assert visit.snapshot().wire()["incidents"][-1]["seen"] is True

    bob = Visit(alice.host, session_of("bob"), "capability", "127.0.0.1")
    assert frame_take(bob, seen | {"version": shown.version + 5}) == [], "nothing of Alice's is touched"
    incident_tell(incident.pk, "resolved", body="There is more to say.")
    assert "seen" not in visit.snapshot().wire()["incidents"][-1]


def test_a_version_that_does_not_exist_yet_can_not_be_put_away(alice, incident):
    now = feed_entry(alice.subject, incident.pk).version
    assert not feed_seen(subject=alice.subject, topic=incident.pk, version=now + 1)
    assert feed_seen(subject=alice.subject, topic=incident.pk, version=now)
