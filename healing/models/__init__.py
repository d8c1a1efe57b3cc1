"""What healing stores. The row is the truth; a broker message is a hint that carries an id."""

from healing.models.fixes import Fix, Scenario, Verification
from healing.models.patterns import Pattern, PatternState
from healing.models.remedies import RunbookState, RunbookUse
from healing.models.runs import HealRun, RunTransition, ThinkingPhase, ThinkingRecord

__all__ = [
    "Fix",
    "HealRun",
    "Pattern",
    "PatternState",
    "RunTransition",
    "RunbookState",
    "RunbookUse",
    "Scenario",
    "ThinkingPhase",
    "ThinkingRecord",
    "Verification",
]
