"""What happened in a story, with times in ms since the user's action."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fact:
    """One thing that was true from then on. `source`: browser, incident, run or rollout."""

    at_ms: int
    source: str
    what: str
    detail: str = ""


@dataclass(frozen=True)
class Words:
    """What the overlay showed the user from then on."""

    at_ms: int
    stage: str
    title: str
    body: str


@dataclass
class Timeline:
    """One story. `outcome` is healed, rolled_back or not_healed; `reason` says why not."""

    scenario: str
    trouble: str
    user: str = ""
    facts: list[Fact] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    remedy: dict[str, Any] = field(default_factory=dict)
    verification: dict[str, dict[str, int]] = field(default_factory=dict)
    rollout: list[dict[str, Any]] = field(default_factory=list)
    outcome: str = "not_healed"
    reason: str = ""

    def first(self, source: str, what: str) -> int | None:
        """When this was first true, or None."""
        return next((f.at_ms for f in self.facts if (f.source, f.what) == (source, what)), None)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """The story as text: facts and the user's words in the order of time."""
        yield f"{self.trouble} ({self.user})"
        rows = [
            (f.at_ms, f"  {_clock(f.at_ms)}  {f.source:<9} {f.what}  {f.detail}".rstrip()) for f in self.facts
        ]
        rows += [
            (w.at_ms, f"  {_clock(w.at_ms)}  user saw  “{w.title}” {_one_line(w.body)}") for w in self.words
        ]
        yield from (text for _, text in sorted(rows, key=lambda row: row[0]))
        if self.verification:
            counts = ", ".join(
                f"{arm} {c.get('passed', 0)} passed / {c.get('failed', 0)} failed of {c['runs']}"
                for arm, c in self.verification.items()
            )
            yield f"  proof      {counts}"
        yield f"  outcome    {self.outcome}{f': {self.reason}' if self.reason else ''}"


def _clock(ms: int) -> str:
    return f"{ms / 1000:7.2f} s"


def _one_line(text: str) -> str:
    return " ".join(text.split())
