"""The Intent Lock: what a fix is for, written before any edit. Its hash binds fix, approval and release."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class IntentLock:
    """`may_change`: the files; `must_appear`: the positive oracle of the scenario; `must_stay`: what else
    is checked. Free text of a visitor never gets in here.
    """

    statement: str
    run: str
    base_commit: str
    may_change: tuple[str, ...]
    must_appear: Mapping[str, Any]
    must_stay: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON: any other intent has another hash."""
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def intent_lock(
    *,
    kind: str,
    user: str,
    run: str,
    base_commit: str,
    may_change: tuple[str, ...],
    must_appear: Mapping[str, Any],
    has_tests: bool,
    other_outcomes: int,
) -> IntentLock:
    """The lock of one run."""
    stays = ["no new error in the runtime log", "no new error on the page"]
    if has_tests:
        stays.append("every test of the host that passes on the base")
    if other_outcomes:
        stays.append(f"{other_outcomes} recorded healthy outcome(s) of other actions")
    statement = f"Fix {kind} for user {user} without breaking anything"
    return IntentLock(statement, run, base_commit, tuple(sorted(may_change)), dict(must_appear), tuple(stays))


def intent_load(stored: Mapping[str, Any]) -> IntentLock:
    return IntentLock(
        **{**stored, "may_change": tuple(stored["may_change"]), "must_stay": tuple(stored["must_stay"])}
    )
