"""Moving an incident along and telling its users."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction

from core import clock
from core.transitions import move
from incidents.models import Incident, IncidentTransition
from incidents.phases import INCIDENT, Status
from incidents.selectors import subjects_of_incident
from notifications.feed import feed_publish
from notifications.messages import Kind, Question, Stage
from notifications.wording import BUTTONS, words


class Unset:
    """The type of UNSET."""


UNSET: Final = Unset()  # "leave it as it is", where None means "take it away"


def incident_move(
    incident_id: str,
    to: str,
    *,
    reason: str,
    actor: str = "system",
    detail: Mapping[str, Any] | None = None,
    from_: str | Iterable[str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> bool:
    """Moves an incident to status `to`, from wherever the table allows it (or from `from_`).

    Returns False when it is somewhere else by now: somebody was faster, stop quietly.
    """
    sources = from_ if from_ is not None else [a for a, b in sorted(INCIDENT.edges()) if b == to]
    return move(
        Incident,
        incident_id,
        INCIDENT,
        history=IncidentTransition,
        from_=sources,
        to=to,
        reason=reason,
        actor=actor,
        detail=detail,
        field="status",
        extra=extra,
    )


def incident_tell(
    incident_id: str,
    stage: str,
    *,
    progress: float | None = None,
    question: Mapping[str, Any] | None = None,
    release: Mapping[str, str] | Unset | None = UNSET,
    title: str | None = None,
    body: str | None = None,
    ask_rating: bool = False,
    only: Iterable[str] | None = None,
) -> int:
    """Shows every affected user of the present occurrence (or `only` these subjects) a new state.

    `release` {"cookie", "token"} sets the cookie in that user's page, None deletes it, UNSET leaves what
    the last message said. Words come from notifications.wording unless given. Returns how many were told.
    """
    incident = Incident.objects.get(pk=incident_id)
    state = _state(incident, Stage(stage), title, body)
    state |= {"progress": progress, "ask_rating": ask_rating, "question": question}
    keep: tuple[str, ...] = ("release",)
    if not isinstance(release, Unset):
        state["release"] = release
        keep = ()
    subjects = list(only) if only is not None else subjects_of_incident(incident_id)
    with transaction.atomic():
        for subject in subjects:
            feed_publish(subject=subject, topic=incident_id, state=state, keep=keep)
    return len(subjects)


def incident_ask(incident_id: str, question: Mapping[str, Any]) -> None:
    """Asks the affected user one question: {"id", "text", "choices": [{"id", "label"}], "free_text"}.

    The incident waits in needs_input until `signals.incident_answered`; asking again replaces the
    question. Only the user whose account it is about is asked: others can't know.
    """
    asked = Question.model_validate(dict(question)).wire()
    with transaction.atomic():
        incident_move(
            incident_id,
            Status.NEEDS_INPUT,
            reason="a question for the user",
            detail={"question": asked["id"]},
        )
        rows = Incident.objects.filter(pk=incident_id, status=Status.NEEDS_INPUT)
        if rows.update(question=asked) == 1:
            subject = rows.values_list("subject", flat=True).get()
            incident_tell(incident_id, Stage.NEEDS_INPUT, question=asked, only=[subject])


def incident_dismiss(incident_id: str, *, actor: str, reason: str) -> bool:
    """The owner says that it is no trouble: further reports are counted, and nobody is told."""
    return incident_move(incident_id, Status.DISMISSED, actor=actor, reason=reason, extra={"question": None})


def incident_reopen(incident_id: str, *, actor: str, reason: str) -> bool:
    """The owner takes it up again after all."""
    return incident_move(
        incident_id,
        Status.DETECTED,
        actor=actor,
        reason=reason,
        from_=[Status.DISMISSED, Status.ESCALATED, Status.RESOLVED],
        extra={"opened_at": clock.now()},
    )


def _state(incident: Incident, stage: Stage, title: str | None, body: str | None) -> dict[str, Any]:
    text = words(Kind(incident.kind), stage)
    return {
        "incident": incident.pk,
        "stage": stage,
        "kind": incident.kind,
        "title": title or text.title,
        "body": body or text.body,
        "actions": BUTTONS[stage],
        "at": clock.now_ms(),
    }
