"""The rubric: the same inputs give the same score on any day, and each part says why.

score = 50 impact + 20 novelty + 15 recency + 15 ease, each 0..1:

- impact: the share of the observed trouble (weighted by severity and number of reports) it bears on;
- novelty: 1 minus its likeness to the nearest earlier proposal (shared words);
- recency: 1 on the day of publication, halved every 30 days; 0.25 when the feed gives no date;
- ease: how small the change looks from the words used: 0.9 small, 0.5 unknown, 0.2 large.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from research.relevance import Relevance, similarity, words_of

WEIGHTS: Mapping[str, float] = {"impact": 50, "novelty": 20, "recency": 15, "ease": 15}
HALF_LIFE_DAYS = 30.0
UNDATED = 0.25

_SMALL = words_of("retry backoff header timeout flag config setting index cache copy label message")
_LARGE = words_of("rewrite migrate migration microservices rearchitect replace framework kubernetes")


@dataclass(frozen=True)
class Part:
    value: float
    weight: float
    why: str


@dataclass(frozen=True)
class Score:
    parts: Mapping[str, Part]

    @property
    def total(self) -> float:
        return round(sum(part.value * part.weight for part in self.parts.values()), 1)

    def as_json(self) -> dict[str, Any]:
        return {name: asdict(part) for name, part in self.parts.items()}


def score(
    *,
    text: str,
    found: Relevance,
    published_at: datetime | None,
    now: datetime,
    earlier: Iterable[frozenset[str]],
) -> Score:
    """Scores one article against what is observed and what was proposed before."""
    values = {
        "impact": _impact(found),
        "novelty": _novelty(words_of(text), earlier),
        "recency": _recency(published_at, now),
        "ease": _ease(words_of(text)),
    }
    return Score({name: Part(round(value, 3), WEIGHTS[name], why) for name, (value, why) in values.items()})


def _impact(found: Relevance) -> tuple[float, str]:
    if not found.troubles:
        return 0.0, "bears on none of the incidents seen lately"
    count = len(found.troubles)
    words = ", ".join(found.words[:5])
    return min(1.0, found.share), f"bears on {count} incident{'s' * (count != 1)} (shared: {words})"


def _novelty(words: frozenset[str], earlier: Iterable[frozenset[str]]) -> tuple[float, str]:
    nearest = max((similarity(words, other) for other in earlier), default=0.0)
    return 1 - nearest, f"{round(nearest * 100)} % like the nearest earlier proposal"


def _recency(published_at: datetime | None, now: datetime) -> tuple[float, str]:
    if published_at is None:
        return UNDATED, "the feed gives no date"
    days = max(0.0, (now - published_at).total_seconds() / 86400)
    return 0.5 ** (days / HALF_LIFE_DAYS), f"published {round(days)} days ago"


def _ease(words: frozenset[str]) -> tuple[float, str]:
    large, small = sorted(words & _LARGE), sorted(words & _SMALL)
    if large:
        return 0.2, f"sounds like a large change ({', '.join(large[:3])})"
    if small:
        return 0.9, f"sounds like a small change ({', '.join(small[:3])})"
    return 0.5, "its size can't be told from the words"
