"""What an affected user tells us about an incident: answers, stars, "try again"."""

from typing import Any

from django.db import IntegrityError, transaction

from core.redact import scrub_text
from incidents.models import Feedback, FeedbackKind, Incident, Session
from incidents.selectors import incident_for_viewer
from incidents.services.incidents import incident_tell
from incidents.signals import incident_answered, incident_rated, send_on_commit
from incidents.wire import AnswerFrame, FrameRefused, RatingFrame, TryAgainFrame
from notifications.feed import feed_entry
from notifications.messages import Stage


def answer_store(*, session: Session, frame: AnswerFrame) -> Feedback:
    """Stores the answer to the question that this user was asked and wakes whoever asked.

    Raises NotFound for an incident that isn't theirs, FrameRefused for a question that isn't (or is no
    more) open for them, or a choice that it doesn't offer.
    """
    incident = incident_for_viewer(session, frame.incident)
    with transaction.atomic():
        known = _already(session, frame.client_event_id)
        if known:
            return known
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        _check_open(session, locked, frame)
        feedback = _store(
            session,
            locked,
            FeedbackKind.ANSWER,
            frame.client_event_id,
            question=frame.question,
            choice=frame.choice or "",
            text=scrub_text(frame.text or ""),
        )
        Incident.objects.filter(pk=locked.pk).update(question=None)
        # Every tab of this user stops asking.
        incident_tell(locked.pk, Stage.DIAGNOSING, only=[session.subject])
        send_on_commit(
            incident_answered,
            incident_id=locked.pk,
            question=frame.question,
            choice=frame.choice,
            text_present=bool(frame.text),
        )
    return feedback


def rating_store(*, session: Session, frame: RatingFrame) -> Feedback:
    """Stores one to five stars, and stops asking."""
    incident = incident_for_viewer(session, frame.incident)
    with transaction.atomic():
        known = _already(session, frame.client_event_id)
        if known:
            return known
        feedback = _store(
            session,
            incident,
            FeedbackKind.RATING,
            frame.client_event_id,
            stars=frame.stars,
            text=scrub_text(frame.text or ""),
        )
        Incident.objects.filter(pk=incident.pk).update(rating=frame.stars)
        entry = feed_entry(session.subject, incident.pk)
        if entry and entry.ask_rating:
            incident_tell(
                incident.pk, entry.stage, title=entry.title, body=entry.body, only=[session.subject]
            )
        send_on_commit(incident_rated, incident_id=incident.pk, stars=frame.stars)
    return feedback


def try_again_store(*, session: Session, frame: TryAgainFrame) -> Feedback:
    """Notes that the user tries again: what follows in their browser is evidence for or against us."""
    incident = incident_for_viewer(session, frame.incident)
    with transaction.atomic():
        return _already(session, frame.client_event_id) or _store(
            session, incident, FeedbackKind.TRY_AGAIN, frame.client_event_id
        )


def _check_open(session: Session, incident: Incident, frame: AnswerFrame) -> None:
    entry = feed_entry(session.subject, incident.pk)
    question = entry.question if entry and incident.question else None
    if question is None or question.id != frame.question:
        raise FrameRefused(
            "not_found", "That question is not open any more.", client_event_id=frame.client_event_id
        )
    if frame.choice is not None and frame.choice not in {choice.id for choice in question.choices}:
        raise FrameRefused(
            "invalid_frame", "The question has no such choice.", client_event_id=frame.client_event_id
        )
    if frame.choice is None and not question.free_text:
        raise FrameRefused(
            "invalid_frame", "The question takes one of its choices.", client_event_id=frame.client_event_id
        )


def _already(session: Session, client_event_id: str) -> Feedback | None:
    return Feedback.objects.filter(session=session, client_event_id=client_event_id).first()


def _store(
    session: Session, incident: Incident, kind: FeedbackKind, client_event_id: str, **values: Any
) -> Feedback:
    try:
        with transaction.atomic():
            return Feedback.objects.create(
                incident=incident,
                session=session,
                client_event_id=client_event_id,
                kind=kind,
                subject=session.subject,
                verified=session.is_verified(),
                **values,
            )
    except IntegrityError:  # the same frame on two sockets at once
        return Feedback.objects.get(session=session, client_event_id=client_event_id)
