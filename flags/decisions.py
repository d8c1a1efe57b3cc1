"""What follows from a judgement: on, back, wait, or ask the owner."""

from datetime import timedelta

from core import clock
from flags import limits
from flags.judge import Judgement, Verdict
from flags.models import Rollout
from flags.phases import LIVE, NEXT, RolloutPhase
from flags.promotion import rollout_finish, rollout_hold
from flags.services import phase_deadline, replay_ask, rollout_move, rollout_take_back


def decide(rollout: Rollout, judgement: Judgement, requests: int) -> None:
    reason = "; ".join(judgement.reasons)
    if rollout.phase not in LIVE:
        return  # killed by hand while we looked
    if judgement.verdict == Verdict.DEGRADED:
        rollout_take_back(rollout.pk, reason=reason, detail=rollout.evidence)
    elif judgement.verdict == Verdict.UNKNOWN:
        _blind(rollout, reason)
    else:
        if rollout.blind_since is not None:
            Rollout.objects.filter(pk=rollout.pk).update(blind_since=None)
        _on_time(rollout, judgement, requests, reason)


def _blind(rollout: Rollout, reason: str) -> None:
    """Frozen: nothing advances. If it stays so, back to stable."""
    if rollout.blind_since is None:
        Rollout.objects.filter(pk=rollout.pk).update(blind_since=clock.now(), reason=reason)
    elif clock.now() - rollout.blind_since > timedelta(seconds=limits.UNKNOWN_ROLLBACK_S):
        rollout_take_back(rollout.pk, reason=f"we could not see how it does: {reason}")


def _on_time(rollout: Rollout, judgement: Judgement, requests: int, reason: str) -> None:
    assert rollout.deadline is not None, "every live phase has a deadline"
    over = clock.now() >= rollout.deadline
    if rollout.phase == RolloutPhase.HELD:
        if over:
            rollout_take_back(rollout.pk, reason=f"nobody decided in time: {rollout.reason}")
    elif rollout.phase == RolloutPhase.FULL:
        if over:
            rollout_finish(rollout, reason)
    elif judgement.verdict == Verdict.HEALTHY:
        if over:
            _go_on(rollout, reason)
    else:
        _insufficient(rollout, requests, reason, over)


def _insufficient(rollout: Rollout, requests: int, reason: str, over: bool) -> None:
    """Too little was seen: the replay of the user's journey counts; without it more time, then the owner."""
    assert rollout.deadline is not None, "every live phase has a deadline"
    half = (rollout.deadline - rollout.since) / 2
    if clock.now() >= rollout.since + half and rollout.replay_wanted_at is None:
        replay_ask(rollout)
    if not over:
        return
    result = rollout.replay_result
    if result and result["passed"] and (requests == 0 or rollout.extended):
        runs = f"{result['runs']} clean runs" if result["runs"] != 1 else "1 clean run"
        _go_on(rollout, f"on replay evidence ({runs}), {requests} live requests: {reason}")
    elif _replay_is_under_way(rollout):
        Rollout.objects.filter(pk=rollout.pk).update(reason=f"waits for the replay: {reason}"[:500])
    elif not rollout.extended:
        again = {} if result else {"replay_wanted_at": None}  # nobody answered: ask once more
        Rollout.objects.filter(pk=rollout.pk).update(
            extended=True, deadline=phase_deadline(rollout.stage), reason=f"extended: {reason}"[:500], **again
        )
    else:
        rollout_hold(rollout, reason)


def _replay_is_under_way(rollout: Rollout) -> bool:
    """A replay takes the time that it takes, however much the phases' clock is shortened."""
    rollout.refresh_from_db(fields=["replay_wanted_at", "replay_result"])
    wanted = rollout.replay_wanted_at
    if wanted is None or rollout.replay_result is not None:
        return False
    return clock.now() - wanted < timedelta(seconds=limits.REPLAY_S)


def _go_on(rollout: Rollout, reason: str) -> None:
    to = NEXT[rollout.stage]
    rollout_move(
        rollout.pk,
        to,
        from_=rollout.stage,
        reason=f"advanced {reason}" if reason.startswith("on ") else f"advanced: {reason}",
        detail=rollout.evidence,
    )
