"""Moves one run by at most one step: claim, step, store what follows in one transaction, let go.

A worker may die at any line. Before the transaction nothing is stored but what a repeated step finds
again; the transaction itself moves the run, frees the lease, writes the history and tells everybody.
"""

import logging
from datetime import timedelta

from django.db import transaction

from core import clock, leases
from core.errors import Retriable
from core.transitions import move as transition
from healing import limits
from healing.errors import CoolingDown
from healing.models import HealRun, RunTransition
from healing.outcomes import Outcome
from healing.phases import HEAL_RUN, TERMINAL, Phase
from healing.policy.autonomy import stopped
from healing.routing import Move, route
from healing.signals import run_finished
from healing.steps import STEPS
from healing.telling import tell_moved, tell_stayed
from incidents.phases import Status

log = logging.getLogger("healing")

_FREE = {"lease_token": "", "lease_until": None}


def advance(run_id: str) -> float | None:
    """Does at most one step. Answers after how many seconds the run wants the next call; None: not now
    (finished, waiting for a person, held by another worker, or stopped by the kill switch).

    Raises whatever unexpected thing the step raised, after it was recorded on the run.
    """
    run = _claimed(run_id)
    if run is None:
        return None
    try:
        if _dismissed(run):
            return _settle(run, Move(Phase.GAVE_UP, "the owner dismissed the incident", extra=_over()), None)
        outcome = STEPS[run.state](run)
        return _settle(run, route(run, outcome), outcome)
    except leases.LeaseLost:
        log.info("run %s: the lease was lost in %s; another worker has it", run.pk, run.phase)
        return None
    except CoolingDown as pause:
        # No failed attempt: five users' worth of patience must not make a dead letter.
        leases.release(HealRun.objects.all(), run.pk, run.lease_token, done=True, delay_s=pause.delay_s)
        return pause.delay_s
    except Retriable as error:
        return _let_go(run, f"{error.code}: {error.message}")
    except Exception as error:
        _let_go(run, f"{type(error).__name__}: {error}")
        log.exception("run %s failed in %s", run.pk, run.phase)
        raise


def bury_dead(run_id: str) -> bool:
    """Gives a run that used up its attempts to the owner. False when it is not dead (any more)."""
    row = leases.dead_letters(HealRun.objects.filter(pk=run_id)).select_related("host", "incident").first()
    if row is None:
        return False
    if row.phase in TERMINAL:
        # Only the lesson failed; what was healed stays healed.
        HealRun.objects.filter(pk=run_id, learned_at__isnull=True).update(learned_at=clock.now(), attempts=0)
        return True
    last = row.last_error or "the worker died"
    reason = f"dead letter: {row.attempts} attempts in {row.phase} failed; the last: {last}"
    move = Move(
        Phase.GAVE_UP, reason, extra={"attempts": 0, "finished_at": clock.now(), "outcome": reason[:500]}
    )
    return _moved(row, move, None, where={"attempts": row.attempts, "lease_token": row.lease_token})


def _claimed(run_id: str) -> HealRun | None:
    row = HealRun.objects.select_related("host").filter(pk=run_id).first()
    if row is None or stopped(row.host):
        return None
    token = leases.claim(HealRun.objects.all().due(), run_id, limits.LEASE_S)
    if token is None:
        return None
    return HealRun.objects.select_related("host", "incident", "fix").get(pk=run_id)


def _dismissed(run: HealRun) -> bool:
    return run.incident is not None and run.incident.status == Status.DISMISSED and run.phase not in TERMINAL


def _over() -> dict[str, object]:
    return {"finished_at": clock.now(), "outcome": "the owner dismissed the incident", "wait_until": None}


def _settle(run: HealRun, move: Move, outcome: Outcome | None) -> float | None:
    """Stores what follows; raises LeaseLost when this worker may not write any more."""
    if move.to is None:
        _stay(run, move, outcome)
        return None if run.phase in TERMINAL else move.again_s
    if not _moved(run, move, outcome, where={"lease_token": run.lease_token}):
        raise leases.LeaseLost(run.pk)
    return None if move.to.is_waiting else 0.0


def _moved(run: HealRun, move: Move, outcome: Outcome | None, *, where: dict[str, object]) -> bool:
    assert move.to is not None
    values = {"attempts": 0, "last_error": "", **_FREE, "run_after": clock.now(), **move.extra}
    with transaction.atomic():
        won = transition(
            HealRun,
            run.pk,
            HEAL_RUN,
            history=RunTransition,
            from_=run.phase,
            to=move.to,
            reason=move.reason,
            detail=move.detail,
            extra=values,
            where=where,
        )
        if won:
            tell_moved(run, move, outcome)
            if move.to in TERMINAL:
                transaction.on_commit(lambda: run_finished.send_robust(sender=None, run_id=run.pk) and None)
    return won


def _stay(run: HealRun, move: Move, outcome: Outcome | None) -> None:
    values = {
        "attempts": 0,
        "last_error": "",
        **_FREE,
        "run_after": clock.now() + timedelta(seconds=move.again_s),
        **move.extra,
    }
    with transaction.atomic():
        if HealRun.objects.filter(pk=run.pk, lease_token=run.lease_token).update(**values) != 1:
            raise leases.LeaseLost(run.pk)
        if outcome is not None:
            tell_stayed(run, outcome)


def _let_go(run: HealRun, error: str) -> float:
    """Frees the run after a failed step; the attempt stays counted and the pause doubles."""
    delay: float = limits.RETRY_DELAY_S * 2 ** max(0, run.attempts - 1)
    HealRun.objects.filter(pk=run.pk, lease_token=run.lease_token).update(last_error=error[:500])
    leases.release(HealRun.objects.all(), run.pk, run.lease_token, done=False, delay_s=delay)
    return delay
