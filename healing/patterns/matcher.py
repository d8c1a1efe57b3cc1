"""What a case looks like as features, and how near two cases are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from healing.evidence import Evidence

# How much each feature tells, when the pattern has it. Where it failed tells most.
WEIGHTS = {
    "route": 3.0,
    "function": 3.0,
    "upstream": 2.0,
    "expectation": 2.0,
    "exception": 1.5,
    "reasons": 1.0,
}


@dataclass(frozen=True)
class Score:
    """`value` in 0..1; `why` has one line per feature."""

    value: float
    why: tuple[str, ...]


def features_of(evidence: Evidence) -> dict[str, Any]:
    """The features of a case; those that it doesn't have are absent."""
    frame = evidence.innermost
    found: dict[str, Any] = {
        "kind": evidence.kind,
        "route": evidence.route,
        "function": f"{frame.path}:{frame.function}" if frame else None,
        "exception": evidence.exceptions[-1].type if evidence.exceptions else None,
        "upstream": sorted({f"{x['service']}:{x['status']}" for x in evidence.upstream if _bad(x)}),
        "expectation": (evidence.expectation or {}).get("name"),
        "reasons": list(evidence.reasons),
    }
    return {name: value for name, value in found.items() if value}


def score(matcher: Mapping[str, Any], features: Mapping[str, Any]) -> Score:
    """How well the case fits. Another kind of trouble never fits; without a telling feature nothing does."""
    if matcher.get("kind") != features.get("kind"):
        return Score(0.0, ("another kind of trouble",))
    total = gained = 0.0
    why = []
    for name, weight in WEIGHTS.items():
        if not matcher.get(name):
            continue
        near = _near(matcher[name], features.get(name))
        total += weight
        gained += weight * near
        why.append(f"{name} {'same' if near == 1 else 'differs' if near == 0 else f'{near:.0%}'}")
    return Score(gained / total if total else 0.0, tuple(why))


def _near(wanted: Any, found: Any) -> float:
    if isinstance(wanted, list):
        a, b = set(wanted), set(found or ())
        return len(a & b) / len(a | b) if a | b else 0.0
    return 1.0 if wanted == found else 0.0


def _bad(exchange: Mapping[str, Any]) -> bool:
    status = int(exchange.get("status") or 0)
    return status == 0 or status >= 400
