"""Maps what a step answered to what follows. Pure: it reads the run, it changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core import clock
from healing import limits
from healing import outcomes as o
from healing.models import HealRun
from healing.phases import Phase, Rung

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Move:
    """`to` None: stay, and look again after `again_s`. `extra`: fields of the run written with the move."""

    to: Phase | None
    reason: str
    detail: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    again_s: float = 0.0


def route(run: HealRun, outcome: o.Outcome) -> Move:
    """Where the run goes from here. An outcome without a rule is a bug, and says so."""
    rule = _RULES.get(type(outcome))
    if rule is None:
        raise TypeError(f"no rule for the outcome {type(outcome).__name__}")
    return rule(run, outcome)


def _triaged(run: HealRun, outcome: o.Triaged) -> Move:
    return Move(Phase.TRIAGING, outcome.reason, extra={"evidence": outcome.evidence})


def _waiting(run: HealRun, outcome: o.Waiting) -> Move:
    return Move(None, outcome.reason, again_s=outcome.again_s)


def _pattern(run: HealRun, outcome: o.PatternMatched) -> Move:
    runbook = outcome.remedy["kind"] == "runbook"
    rung = Rung.PATTERN_RUNBOOK if runbook else Rung.PATTERN_CODE
    why = f"pattern {outcome.pattern_id} fits with a score of {outcome.score:.2f}"
    return Move(
        Phase.REMEDIATING if runbook else Phase.REPRODUCING,
        why,
        {"rung": rung, "why": outcome.remedy.get("why", [])},
        {
            "remedy": {**outcome.remedy, "rung": rung},
            "pattern_id": outcome.pattern_id,
            **_tries(run, rung, why, outcome.remedy),
        },
    )


def _no_pattern(run: HealRun, outcome: o.NoPattern) -> Move:
    return Move(Phase.DIAGNOSING, outcome.reason)


def _diagnosis(run: HealRun, outcome: o.Diagnosis) -> Move:
    kind = outcome.remedy["kind"]
    diagnosis = {
        "root_cause": outcome.root_cause,
        "confidence": outcome.confidence,
        "remedy": dict(outcome.remedy),
        "alternatives": list(outcome.alternatives),
        "engine": "rules",
    }
    told = f"{outcome.root_cause} ({outcome.confidence:.0%})"
    refusal = _may_not_act(run)
    if refusal or kind not in ("runbook", "code"):
        reason = f"diagnosed only: {refusal or 'no remedy follows from it'}. {told}"
        return _give_up(run, reason, {"diagnosis": diagnosis})
    remedy = {**outcome.remedy, "rung": outcome.rung}
    extra = {"diagnosis": diagnosis, "remedy": remedy, **_tries(run, outcome.rung, told, outcome.remedy)}
    to = Phase.REMEDIATING if kind == "runbook" else Phase.REPRODUCING
    return Move(to, told, {"rung": outcome.rung, "confidence": outcome.confidence}, extra)


def _no_cause(run: HealRun, outcome: o.NoCauseFound) -> Move:
    return _give_up(run, f"no cause found: {outcome.reason}")


def _ask(run: HealRun, outcome: o.AskUser) -> Move:
    until = clock.now() + timedelta(seconds=limits.ANSWER_DEADLINE_S)
    resume = run.phase
    return Move(
        Phase.NEEDS_INPUT,
        outcome.reason,
        {"question": dict(outcome.question), "until": until.isoformat()},
        {"wait_until": until, "answer": {"question": outcome.question["id"], "resume": resume}},
    )


def _owner(run: HealRun, outcome: o.OwnerNeeded) -> Move:
    until = clock.now() + timedelta(seconds=limits.OWNER_DEADLINE_S)
    return Move(Phase.AWAITING_OWNER, outcome.reason, outcome.detail, {"wait_until": until})


def _held(run: HealRun, outcome: o.RunbookHeld) -> Move:
    reason = f"runbook {outcome.runbook} was applied and its invariant holds"
    return Move(Phase.SETTLED, reason, {"changed": outcome.changed}, _ends(run, reason, outcome.runbook))


def _skipped(run: HealRun, outcome: o.RunbookSkipped) -> Move:
    reason = f"runbook {outcome.runbook} is not for this case: {outcome.reason}"
    extra = {"tried": _closed(run, reason, outcome.runbook), "remedy": {}}
    return Move(Phase.DIAGNOSING, reason, extra=extra)


def _undone(run: HealRun, outcome: o.RunbookUndone) -> Move:
    end = "was undone" if outcome.undone else "could NOT be undone"
    reason = f"runbook {outcome.runbook} {end}: {outcome.reason}"
    move = _give_up(run, reason, ended_name=outcome.runbook)
    return Move(move.to, reason, {"changed": outcome.changed, "undone": outcome.undone}, move.extra)


def _reproduced(run: HealRun, outcome: o.Reproduced) -> Move:
    reason = f"the unchanged base fails {outcome.failed} of {outcome.runs} times on a clone of the account"
    return Move(Phase.REPAIRING, reason, {"scenario": outcome.scenario_id})


def _fix_found(run: HealRun, outcome: o.FixFound) -> Move:
    reason = f"template {outcome.template} makes the scenario pass"
    return Move(Phase.VERIFYING, reason, {"fix": outcome.fix_id}, {"fix_id": outcome.fix_id})


def _verified(run: HealRun, outcome: o.Verified) -> Move:
    if outcome.verdict == o.Verdict.PASSED and outcome.tier0:
        return Move(Phase.ROLLING_OUT, outcome.reason, {"fix": outcome.fix_id})
    if outcome.verdict == o.Verdict.FAILED:
        if run.fixes.count() >= limits.MAX_FIX_TRIES:
            return _give_up(run, f"{run.fixes.count()} fixes failed verification; the last: {outcome.reason}")
        return Move(Phase.REPAIRING, f"verification failed: {outcome.reason}", {"fix": outcome.fix_id})
    return _owner(run, o.OwnerNeeded(outcome.reason, {"fix": outcome.fix_id, "verdict": outcome.verdict}))


def _rollout_moving(run: HealRun, outcome: o.RolloutMoving) -> Move:
    extra: dict[str, Any] = {"rollout": outcome.rollout_id, "rollout_phase": outcome.rollout_phase}
    if outcome.serves_user and not run.user_served:
        extra["user_served"] = True
    return Move(None, f"rollout {outcome.rollout_phase}", extra=extra, again_s=outcome.again_s)


def _rollout_ended(run: HealRun, outcome: o.RolloutEnded) -> Move:
    to = Phase.SETTLED if outcome.healthy else Phase.ROLLED_BACK
    return Move(to, outcome.reason, {"rollout": outcome.rollout_id}, _ends(run, outcome.reason))


def _learned(run: HealRun, outcome: o.Learned) -> Move:
    return Move(None, outcome.note, extra={"learned_at": clock.now(), "score": outcome.score})


def _rung_ended(run: HealRun, outcome: o.RungEnded) -> Move:
    return _give_up(run, outcome.reason, {}, detail=outcome.detail)


def _give_up(
    run: HealRun, reason: str, extra: Json | None = None, *, detail: Json | None = None, ended_name: str = ""
) -> Move:
    ends = _ends(run, reason, ended_name)
    return Move(Phase.GAVE_UP, reason, detail or {}, {**ends, **(extra or {})})


def _may_not_act(run: HealRun) -> str:
    if not run.verified:
        return "nobody vouched for the reporter's identity"
    if run.host.autonomy == "observe":
        return "the host is set to observe"
    return ""


def _tries(run: HealRun, rung: Rung, why: str, remedy: Json | None = None) -> dict[str, Any]:
    name = (remedy or {}).get("name", "")
    return {"tried": [*run.tried, {"rung": rung, "remedy": name, "why": why[:300], "ended": ""}]}


def _closed(run: HealRun, reason: str, name: str = "") -> list[dict[str, Any]]:
    """The rungs with the last one ended for this reason."""
    if not run.tried:
        return []
    last = dict(run.tried[-1])
    if last.get("ended"):
        return list(run.tried)
    return [*run.tried[:-1], {**last, "remedy": name or last.get("remedy", ""), "ended": reason[:300]}]


def _ends(run: HealRun, reason: str, name: str = "") -> dict[str, Any]:
    return {
        "tried": _closed(run, reason, name),
        "finished_at": clock.now(),
        "outcome": reason[:500],
        "wait_until": None,
    }


_RULES: Mapping[type, Callable[[HealRun, Any], Move]] = {
    o.Triaged: _triaged,
    o.Waiting: _waiting,
    o.PatternMatched: _pattern,
    o.NoPattern: _no_pattern,
    o.Diagnosis: _diagnosis,
    o.NoCauseFound: _no_cause,
    o.AskUser: _ask,
    o.OwnerNeeded: _owner,
    o.RunbookHeld: _held,
    o.RunbookSkipped: _skipped,
    o.RunbookUndone: _undone,
    o.Reproduced: _reproduced,
    o.FixFound: _fix_found,
    o.Verified: _verified,
    o.RolloutMoving: _rollout_moving,
    o.RolloutEnded: _rollout_ended,
    o.Learned: _learned,
    o.RungEnded: _rung_ended,
}
