"""One move of a rollout: row, history line, phase clock, and the news after the commit."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.dispatch import Signal

from core import clock, ids
from core.transitions import move
from flags import limits
from flags.models import Assignment, Rollout, RolloutTransition
from flags.phases import ROLLOUT, RolloutPhase
from flags.selectors import release_cookie
from flags.signals import replay_wanted, rollout_moved
from notifications.feed import feed_publish
from notifications.messages import Kind, Stage

logger = logging.getLogger(__name__)


def rollout_move(
    rollout_id: str,
    to: RolloutPhase,
    *,
    from_: RolloutPhase | Sequence[RolloutPhase],
    reason: str,
    actor: str = "system",
    detail: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> bool:
    """One move with its history line, a fresh phase clock, and the signal after the commit."""
    values = {
        "since": clock.now(),
        "deadline": phase_deadline(to),
        "extended": False,
        "reason": reason[:500],
        "replay_wanted_at": None,
        "replay_result": None,
        "held_from": "",
        **(extra or {}),
    }
    with transaction.atomic():
        moved = move(
            Rollout,
            rollout_id,
            ROLLOUT,
            history=RolloutTransition,
            from_=from_,
            to=to,
            reason=reason,
            actor=actor,
            detail=detail,
            extra=values,
        )
        if moved:
            news = {"rollout_id": rollout_id, "phase": str(to)}
            transaction.on_commit(lambda: _send(rollout_moved, news))
    return moved


def _send(signal: Signal, news: dict[str, str]) -> None:
    for receiver, answer in signal.send_robust(sender=None, **news):
        if isinstance(answer, Exception):
            logger.error("%r failed on %s", receiver, news, exc_info=answer)


def phase_deadline(phase: RolloutPhase) -> datetime | None:
    """When a phase that begins now is judged for the last time; None when it has no end of its own."""
    seconds = {
        RolloutPhase.AFFECTED_USER: settings.ROLLOUT_AFFECTED_S,
        RolloutPhase.SIMILAR_USERS: settings.ROLLOUT_SIMILAR_S,
        RolloutPhase.FULL: limits.FULL_WATCH_S,
        RolloutPhase.HELD: limits.HOLD_S,
    }.get(phase)
    return None if seconds is None else clock.now() + timedelta(seconds=seconds * settings.ROLLOUT_CLOCK)


def member_tell(member: Assignment, *, invited: bool) -> None:
    """Gives a similar user's browser its cookie, or takes it away. A state without a body shows nothing."""
    feed_publish(
        subject=member.subject,
        topic=member.rollout_id,
        state={
            "incident": member.rollout_id,
            "stage": Stage.VERIFYING if invited else Stage.ROLLED_BACK,
            "kind": Kind.ERROR,
            "title": "An improvement is being tried",
            "body": "",
            "release": release_cookie(member.rollout_id, member.subject) if invited else None,
            "at": clock.now_ms(),
        },
    )


def assignment_make(
    rollout: Rollout, subject: str, why: list[str], phase: RolloutPhase = RolloutPhase.AFFECTED_USER
) -> Assignment:
    """The user's membership with its token: the same one for the whole rollout, however often it is asked."""
    token = ids.new_secret()
    values = {"token": token, "member": member_digest(token), "phase": phase, "why": why}
    return Assignment.objects.get_or_create(rollout=rollout, subject=subject, defaults=values)[0]


def member_digest(token: str) -> str:
    """How the gateway's log names the holder of a token, without giving the token away."""
    return hashlib.sha1(token.encode(), usedforsecurity=False).hexdigest()


def replay_ask(rollout: Rollout) -> None:
    """Asks whoever can replay the user's journey on the candidate to do so; at most once a phase."""
    with transaction.atomic():
        rows = Rollout.objects.filter(pk=rollout.pk, replay_wanted_at__isnull=True)
        if rows.update(replay_wanted_at=clock.now()):
            transaction.on_commit(lambda: _send(replay_wanted, {"rollout_id": rollout.pk}))
