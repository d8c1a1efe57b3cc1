"""L2: scores how good a healing was, by rules. Pure; a number with its reasons, never an action."""

from collections.abc import Mapping
from typing import Any


def judge(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`facts`: outcome ("settled"|"rolled_back"|"gave_up"|"rejected"), remedy kind, invariant_before and
    invariant_after (bool|None), verdict, p_value, changed_lines, rating (1..5|None).

    Answers {"score": 0..1, "reasons": [...]}; only a settled run can score above 0.2.
    """
    if facts.get("outcome") != "settled":
        return {"score": 0.0 if facts.get("outcome") == "rolled_back" else 0.1, "reasons": ["did not hold"]}
    points, reasons = 0.5, ["the remedy held"]
    if facts.get("invariant_before") is False and facts.get("invariant_after") is True:
        points, reasons = points + 0.4, [*reasons, "the host's invariant was broken before and holds now"]
    if facts.get("verdict") == "passed":
        points, reasons = points + 0.2, [*reasons, "every check of the verification passed"]
    if (p := facts.get("p_value")) is not None and p < 0.01:
        points, reasons = points + 0.1, [*reasons, f"base against fix differs with p = {p:.3f}"]
    if (lines := facts.get("changed_lines")) is not None and lines <= 20:
        points, reasons = points + 0.1, [*reasons, f"a small change ({lines} lines)"]
    if (rating := facts.get("rating")) is not None and rating <= 2:
        points, reasons = points - 0.4, [*reasons, f"the user gave {rating} stars"]
    return {"score": round(min(1.0, max(0.0, points)), 2), "reasons": reasons}
