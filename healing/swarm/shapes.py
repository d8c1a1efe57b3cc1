"""What a checker answers."""

from dataclasses import dataclass
from typing import Any

from healing.outcomes import Verdict


@dataclass(frozen=True)
class Check:
    """`reason` says what was seen, for the owner."""

    name: str
    verdict: Verdict
    reason: str
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {"verdict": str(self.verdict), "reason": self.reason[:500], "seconds": round(self.seconds, 2)}


def verdict_of(checks: list[Check]) -> tuple[Verdict, str]:
    """The verdict of all: one failure fails; a checker that broke or can't tell stops the way to auto.

    Looking the same as before is no reason against a fix: inconclusive counts only for the required ones.
    """
    for wanted in (Verdict.FAILED, Verdict.ERROR):
        hit = next((c for c in checks if c.verdict == wanted), None)
        if hit is not None:
            return wanted, f"{hit.name}: {hit.reason}"
    required = next((c for c in checks if c.verdict == Verdict.INCONCLUSIVE and c.name != "visual"), None)
    if required is not None:
        return Verdict.INCONCLUSIVE, f"{required.name}: {required.reason}"
    return Verdict.PASSED, f"all {len(checks)} checks passed"
