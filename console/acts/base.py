"""What the owner can do, as data: what it says before, and the one service it calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import NotFound


@dataclass(frozen=True)
class Ask:
    """The confirmation page of one act on one thing.

    `facts` are shown; `bound` goes through the form and back to `perform`, so that what is done is what
    was shown.
    """

    title: str
    says: str
    button: str
    back: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    bound: Mapping[str, str] = field(default_factory=dict)
    danger: bool = False


@dataclass(frozen=True)
class Asked:
    """What the owner confirmed."""

    subject: str
    actor: str
    reason: str
    bound: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """What an act came to, when a sentence is not enough.

    `short` says that something is left to do, so it must not read as a success. `detail` goes into the audit.
    """

    says: str
    short: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """`ask` raises KriptikError when it makes no sense (now); `perform` answers what to tell the owner."""

    name: str
    ask: Callable[[str], Ask]
    perform: Callable[[Asked], str | Outcome]


_acts: dict[str, Act] = {}


def act_register(act: Act) -> None:
    _acts[act.name] = act


def act_get(name: str) -> Act:
    """Raises NotFound."""
    if name not in _acts:
        raise NotFound(f"There is nothing called {name} to do here.")
    return _acts[name]


def act_names() -> list[str]:
    return sorted(_acts)
