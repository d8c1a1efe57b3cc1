"""The values that pass between the six phases."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from healing.models import ThinkingPhase
from healing.phases import Rung

ENGINE = "rules"  # said in every record, so that nobody takes a rule's word for a model's


@dataclass(frozen=True)
class Claim:
    """One statement, with links to the fields of the evidence pack that carry it."""

    text: str
    links: tuple[str, ...]
    confidence: float = 1.0


@dataclass(frozen=True)
class Hypothesis:
    """A possible cause with the remedy that would remove it.

    `remedy`: {"kind": "runbook", "name"} or {"kind": "code", "hint"} or {"kind": "none"}.
    """

    id: str
    cause: str
    remedy: Mapping[str, Any]
    confidence: float
    links: tuple[str, ...]
    rung: Rung = Rung.OWNER
    against: tuple[str, ...] = ()

    def weakened(self, by: float, why: str) -> "Hypothesis":
        return replace(
            self, confidence=round(max(0.0, self.confidence - by), 3), against=(*self.against, why)
        )

    def strengthened(self, by: float) -> "Hypothesis":
        return replace(self, confidence=round(min(0.99, self.confidence + by), 3))

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "rung": str(self.rung), "remedy": dict(self.remedy)}


@dataclass(frozen=True)
class Thought:
    """One finished phase."""

    phase: ThinkingPhase
    inputs: tuple[str, ...]
    claims: tuple[Claim, ...]
    confidence: float | None = None
    hypotheses: tuple[Hypothesis, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        return {
            "engine": ENGINE,
            "inputs": list(self.inputs),
            "claims": [{**vars(c), "links": list(c.links)} for c in self.claims],
            "hypotheses": [h.as_json() for h in self.hypotheses],
        }
