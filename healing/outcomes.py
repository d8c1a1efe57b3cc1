"""What a step may answer. The runner, and nobody else, knows what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices

from healing.phases import Rung

Json = Mapping[str, Any]


class Verdict(TextChoices):
    """ "Could not measure" is not "measured bad"."""

    PASSED = "passed"  # measured, and good
    FAILED = "failed"  # measured, and bad
    ERROR = "error"  # the measurement itself broke
    INCONCLUSIVE = "inconclusive"  # measured, and it proves neither


@dataclass(frozen=True)
class Triaged:
    """The run may go on with this evidence pack (as stored: field -> trust and value)."""

    reason: str
    evidence: Json


@dataclass(frozen=True)
class Waiting:
    """Nothing to do yet; look again after `again_s` seconds."""

    reason: str
    again_s: float


@dataclass(frozen=True)
class PatternMatched:
    """The library knows this: `remedy` is {"kind": "runbook"|"code", ...}."""

    pattern_id: str
    score: float
    remedy: Json


@dataclass(frozen=True)
class NoPattern:
    """The library doesn't know this, which is normal. `reason` says how near it came."""

    reason: str


@dataclass(frozen=True)
class Diagnosis:
    """A cause with a remedy that could remove it. `remedy`: {"kind": "runbook"|"code"|"none", ...}."""

    root_cause: str
    remedy: Json
    confidence: float
    rung: Rung
    alternatives: tuple[Json, ...] = ()


@dataclass(frozen=True)
class NoCauseFound:
    """An allowed answer: the evidence doesn't single out a cause."""

    reason: str


@dataclass(frozen=True)
class AskUser:
    """One question to the user: {"id", "text", "choices", "free_text"}."""

    question: Json
    reason: str


@dataclass(frozen=True)
class OwnerNeeded:
    """A rule leaves the next move to the owner."""

    reason: str
    detail: Json = field(default_factory=dict)


@dataclass(frozen=True)
class RunbookHeld:
    """Applied, and the host's invariant holds now. `changed` is exactly what the host changed."""

    runbook: str
    changed: Json


@dataclass(frozen=True)
class RunbookSkipped:
    """This runbook is not for this case (not applicable, declined, cooling down); the next rung may be."""

    runbook: str
    reason: str


@dataclass(frozen=True)
class RunbookUndone:
    """Applied, judged bad by the invariant and undone by its inverse (or not: `undone` says)."""

    runbook: str
    reason: str
    undone: bool
    changed: Json


@dataclass(frozen=True)
class Reproduced:
    """The unchanged base fails on a clone of the affected account. `failed` of `runs`."""

    scenario_id: str
    failed: int
    runs: int


@dataclass(frozen=True)
class FixFound:
    """A candidate that makes the scenario pass once and that the diff gate doesn't refuse."""

    fix_id: str
    template: str


@dataclass(frozen=True)
class Verified:
    """The whole verification. `tier0`: the gate lets it go live without the owner."""

    fix_id: str
    verdict: Verdict
    tier0: bool
    reason: str


@dataclass(frozen=True)
class RolloutMoving:
    """The rollout exists and is on its way; look again after `again_s` seconds.

    `serves_user`: the affected user is on the candidate, so that "fixed" is true for them.
    """

    rollout_id: str
    rollout_phase: str
    again_s: float
    serves_user: bool = False


@dataclass(frozen=True)
class RolloutEnded:
    """The rollout is full (`healthy`) or was taken back."""

    rollout_id: str
    healthy: bool
    reason: str


@dataclass(frozen=True)
class Learned:
    """What the experience is worth. `lesson`: the remedy to keep as a pattern, or None."""

    pattern_id: str | None
    note: str
    score: Json
    lesson: Json | None = None
    title: str = ""


@dataclass(frozen=True)
class RungEnded:
    """No remedy on this rung and none above it that the run may try; the owner gets it."""

    reason: str
    detail: Json = field(default_factory=dict)


Outcome = (
    Triaged
    | Waiting
    | PatternMatched
    | NoPattern
    | Diagnosis
    | NoCauseFound
    | AskUser
    | OwnerNeeded
    | RunbookHeld
    | RunbookSkipped
    | RunbookUndone
    | Reproduced
    | FixFound
    | Verified
    | RolloutMoving
    | RolloutEnded
    | Learned
    | RungEnded
)
