"""Is the candidate healthy? Pure: evidence in, verdict out, so that it can be tested and simulated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flags import limits
from flags.phases import RolloutPhase
from flags.sequential import EProcess, detectable_rate


class Verdict(StrEnum):
    HEALTHY = "healthy"  # enough was seen and nothing was wrong
    DEGRADED = "degraded"  # take it back; needs no minimum of evidence
    INSUFFICIENT = "insufficient"  # nothing was wrong, but too little was seen to say so
    UNKNOWN = "unknown"  # we are blind: no telemetry, which is not the same as no traffic


@dataclass(frozen=True)
class Evidence:
    """What was seen of the candidate since the present phase began.

    `recurrences`: users for whom the original trouble came back. `new_troubles`: fingerprint that stable
    never showed, in code or routes that the fix touched -> how many different users or requests.
    `server_errors`: touched route -> users whom the candidate answered with 5xx there. `requests` counts
    live requests, `touched_requests` those on touched routes.
    """

    phase: RolloutPhase
    telemetry_age_s: float | None
    process_alive: bool = True
    health_failures: int = 0
    recurrences: frozenset[str] = frozenset()
    new_troubles: Mapping[str, int] = field(default_factory=dict)
    server_errors: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    touched_requests: int = 0
    has_touched_routes: bool = False
    errors: EProcess = field(default_factory=EProcess)
    slow: EProcess = field(default_factory=EProcess)
    replay_passed: bool | None = None
    replay_runs: int = 0


@dataclass(frozen=True)
class Judgement:
    """`reasons` are sentences for the owner. `detectable`: the lowest error rate this could have found."""

    verdict: Verdict
    reasons: tuple[str, ...]
    detectable: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "verdict": str(self.verdict),
            "reasons": list(self.reasons),
            "detectable": None if self.detectable is None else round(self.detectable, 4),
        }


def judge(evidence: Evidence) -> Judgement:
    """The verdict of one look. Harm is harm even when we are half blind, so it is asked first."""
    detectable = detectable_rate(evidence.requests)
    harm = (*_hard_signals(evidence), *_soft_signals(evidence))
    if harm:
        return Judgement(Verdict.DEGRADED, harm, detectable)
    age = evidence.telemetry_age_s
    if age is None or age > limits.TELEMETRY_STALE_S:
        seen = "never" if age is None else f"{age:.0f} s ago"
        return Judgement(Verdict.UNKNOWN, (f"the gateway's log was last read {seen}",), detectable)
    missing = _missing(evidence)
    if missing:
        return Judgement(Verdict.INSUFFICIENT, (missing,), detectable)
    return Judgement(Verdict.HEALTHY, (_seen(evidence, detectable),), detectable)


def _hard_signals(e: Evidence) -> Iterator[str]:
    alone = e.phase in {RolloutPhase.PENDING, RolloutPhase.AFFECTED_USER}
    needed = 1 if alone else limits.NEW_FINGERPRINT_SUBJECTS
    if e.recurrences:
        yield f"the trouble came back for {_count(len(e.recurrences), 'user')} of the candidate"
    if not e.process_alive:
        yield "the candidate's process died"
    if e.health_failures >= limits.HEALTH_FAILURES:
        yield f"the candidate failed its health check {e.health_failures} times in a row"
    for fingerprint, count in e.new_troubles.items():
        if count >= needed:
            yield f"a new trouble in what the fix touched ({fingerprint}), seen {_count(count, 'time')}"
    for route, users in e.server_errors.items():
        # With everyone on it some requests always fail somewhere; that is what the rates are for.
        if users >= needed and e.phase != RolloutPhase.FULL:
            yield f"the candidate answered {route}, which the fix touched, with a server error"
    if e.replay_passed is False:
        yield "the recorded failure shows again when it is replayed on the candidate"


def _soft_signals(e: Evidence) -> Iterator[str]:
    if e.errors.rejects(limits.ALPHA_ERRORS):
        yield f"it fails more often than stable: {_rates(e.errors)}"
    if e.slow.rejects(limits.ALPHA_LATENCY):
        yield f"it is slower than stable's slowest twentieth more often than stable: {_rates(e.slow)}"


def _missing(e: Evidence) -> str | None:
    if e.phase == RolloutPhase.AFFECTED_USER:
        seen = e.touched_requests if e.has_touched_routes else e.requests
        if seen < limits.AFFECTED_MIN_REQUESTS:
            where = " on the routes that the fix touched" if e.has_touched_routes else ""
            return f"the user has made no request{where} yet"
    elif e.phase == RolloutPhase.SIMILAR_USERS and e.requests < limits.SIMILAR_MIN_REQUESTS:
        found = detectable_rate(e.requests)
        power = "" if found is None else f", which would have shown an error rate of {found:.0%} or more"
        return f"{_count(e.requests, 'live request')} of {limits.SIMILAR_MIN_REQUESTS} needed{power}"
    elif e.requests == 0:
        return "no live request yet"
    return None


def _seen(e: Evidence, detectable: float | None) -> str:
    return (
        f"{_count(e.requests, 'live request')}, nothing wrong; "
        f"an error rate of {detectable or 1:.0%} or more would have shown"
    )


def _rates(test: EProcess) -> str:
    return f"{test.canary_bad} of {test.canary} against {test.control_bad} of {test.control}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
