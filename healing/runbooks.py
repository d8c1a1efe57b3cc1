"""Applies one action of the host for one verified user: prepare, commit, judge, undo.

Every stage is stored before the next begins, and the host keeps one idempotency key to one change, so a
crash anywhere repeats a question or an answer, never an effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core import clock
from healing import limits
from healing.errors import CoolingDown, StepPostponed
from healing.host_access import host_client, refused_for_good
from healing.manifest import Action
from healing.models import HealRun, RunbookState, RunbookUse
from healing.outcomes import RunbookHeld, RunbookSkipped, RunbookUndone
from hostkit.client import HostClient
from hostkit.errors import HostAnswerError, HostUnreachable

RunbookOutcome = RunbookHeld | RunbookSkipped | RunbookUndone


@dataclass(frozen=True)
class _Skip(Exception):
    """The precondition does not hold; nothing was changed."""

    reason: str


def runbook_apply(run: HealRun, name: str, action: Action) -> RunbookOutcome:
    """Runs or resumes the runbook. Raises StepPostponed when the host can't be reached."""
    if not run.user:
        return RunbookSkipped(name, "nobody vouched for this user's identity")
    try:
        with host_client(run.host) as client:
            use = _prepared(run, name, action, client)
            if use.state == RunbookState.PREPARED:
                _commit(run, use, client)
            if use.state == RunbookState.APPLIED:
                _judge(run, use, action, client)
    except _Skip as skip:
        return RunbookSkipped(name, skip.reason)
    except HostUnreachable as error:
        raise StepPostponed(f"the host did not answer {name}: {error}") from error
    except HostAnswerError as error:
        if refused_for_good(error):
            return RunbookSkipped(name, f"the host refused {name}: {error.code}")
        raise StepPostponed(f"the host could not run {name}: {error}") from error
    return _outcome(use)


def runbook_key(run: HealRun, name: str) -> str:
    return f"{run.pk}:{name}"


def _prepared(run: HealRun, name: str, action: Action, client: HostClient) -> RunbookUse:
    """The row of this use; made when cooldown, caps, dry run and invariant all say yes."""
    key = runbook_key(run, name)
    known = RunbookUse.objects.filter(key=key).first()
    if known is not None:
        return known
    _check_rate(run, name, action)
    before = client.invariant(action.verify, run.user)
    if before["holds"]:
        raise _Skip(f"{action.verify} holds already")
    dry = client.action(name, run.user, mode="dry_run", idempotency_key=f"{key}:dry")
    if not dry["applicable"]:
        raise _Skip(f"not applicable: {dry['reason']}")
    run.beat()
    use, _ = RunbookUse.objects.get_or_create(
        key=key,
        defaults={
            "run": run,
            "action": name,
            "user": run.user,
            "precondition": {"reason": dry["reason"], "would_change": dry["changed"]},
            "facts_before": before["facts"],
        },
    )
    return use


def _check_rate(run: HealRun, name: str, action: Action) -> None:
    uses = RunbookUse.objects.filter(run__host_id=run.host_id, user=run.user)
    last = uses.filter(action=name, at__gt=clock.now() - action.cooldown).order_by("-at").first()
    if last is not None:
        told = f"{name} was applied for this user within its cooldown of {action.cooldown}"
        left = (last.at + action.cooldown - clock.now()).total_seconds()
        if left <= limits.COOLDOWN_WAIT_S:
            raise CoolingDown(told, left)
        raise _Skip(told)
    day = uses.filter(at__gt=clock.now() - timedelta(days=1)).count()
    if day >= limits.RUNBOOKS_PER_USER_PER_DAY:
        raise _Skip(f"{day} runbooks for this user in a day; the cap is {limits.RUNBOOKS_PER_USER_PER_DAY}")


def _commit(run: HealRun, use: RunbookUse, client: HostClient) -> None:
    run.beat()  # the last look at the lease before the effect
    done = client.action(use.action, use.user, mode="apply", idempotency_key=use.key)
    if not done["applicable"]:
        # Between the dry run and now the world moved: nothing was changed, so nothing is to be judged.
        _store(run, use, state=RunbookState.UNDONE, reason=f"no longer applicable: {done['reason']}")
        return
    _store(
        run,
        use,
        state=RunbookState.APPLIED,
        changed=done["changed"],
        undo=done["undo"],
        reason=done["reason"],
    )


def _judge(run: HealRun, use: RunbookUse, action: Action, client: HostClient) -> None:
    after = client.invariant(action.verify, use.user)
    if after["holds"]:
        _store(run, use, state=RunbookState.HELD, facts_after=after["facts"])
        return
    reason = f"{action.verify} still does not hold"
    if use.undo is None:
        _store(
            run,
            use,
            state=RunbookState.STUCK,
            facts_after=after["facts"],
            reason=f"{reason}; no undo was offered",
        )
        return
    run.beat()
    try:
        undone = client.action(
            action.inverse, use.user, mode="apply", args=use.undo, idempotency_key=f"{use.key}:undo"
        )
    except HostAnswerError as error:
        if not refused_for_good(error):
            raise
        _store(
            run,
            use,
            state=RunbookState.STUCK,
            facts_after=after["facts"],
            reason=f"{reason}; undo: {error.code}",
        )
        return
    state = RunbookState.UNDONE if undone["applicable"] else RunbookState.STUCK
    told = reason if undone["applicable"] else f"{reason}; undo: {undone['reason']}"
    _store(run, use, state=state, facts_after=after["facts"], reason=told)


def _store(run: HealRun, use: RunbookUse, **values: Any) -> None:
    run.beat()  # a worker that lost its lease records nothing
    for name, value in values.items():
        setattr(use, name, value[:500] if name == "reason" else value)
    use.save(update_fields=list(values))


def _outcome(use: RunbookUse) -> RunbookOutcome:
    changed: Mapping[str, Any] = use.changed
    if use.state == RunbookState.HELD:
        return RunbookHeld(use.action, changed)
    if use.state == RunbookState.UNDONE and not changed:
        return RunbookSkipped(use.action, use.reason)
    return RunbookUndone(use.action, use.reason, use.state == RunbookState.UNDONE, changed)
