"""The diff gate: refuse, ask the owner, or let through as tier 0. Pure; it never raises, and what it doesn't
understand it refuses. A model's word has no place here.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices

from healing.policy.paths import path_problems
from healing.policy.python_scan import python_doubts, python_problems
from healing.policy.text_scan import added_lines, copied, removed_lines, script_problems, text_problems
from healing.policy.tier0 import classify

REGULAR = "100644"
MAX_FILES = 5
MAX_ADDED = 60  # lines, over all files
TIER0_LINES = 20  # changed lines: more can't be read at a glance
MAX_BYTES = 500_000  # of one file
# A new protection or a lost one inside of these is the owner's business whatever the class.
_DELICATE = (
    "auth",
    "permission",
    "allow",
    "can_",
    "is_",
    "has_",
    "may_",
    "check",
    "verify",
    "valid",
    "role",
    "admin",
)


class Decision(TextChoices):
    REFUSE = "refuse"  # never released, by nobody
    NEEDS_OWNER = "needs_owner"  # the owner may approve this exact tree
    TIER0 = "tier0"  # may go live on an `auto` host once verified


@dataclass(frozen=True)
class Change:
    """One file before and after; None is "not there". Modes as git writes them."""

    path: str
    old: bytes | None
    new: bytes | None
    old_mode: str = REGULAR
    new_mode: str = REGULAR


@dataclass(frozen=True)
class Rules:
    """What binds this fix: the accepted manifest, the intent lock, and visitors' own words."""

    editable: Sequence[str]
    protected: Sequence[str]
    may_change: Sequence[str]
    visitors: Sequence[str] = ()


@dataclass(frozen=True)
class GateVerdict:
    """`change_class` and `functions` only for what a tier-0 class was looked for in."""

    decision: Decision
    reasons: tuple[str, ...]
    change_class: str = ""
    functions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "decision": str(self.decision),
            "reasons": list(self.reasons),
            "class": self.change_class,
            "functions": list(self.functions),
        }


def judge(changes: Sequence[Change], rules: Rules) -> GateVerdict:
    """The verdict on a whole diff. Every reason is told; adding changes never makes it milder."""
    try:
        return _judged(list(changes), rules)
    except Exception as error:
        # Whatever this is, nobody has judged the diff.
        return GateVerdict(Decision.REFUSE, (f"the gate could not judge it ({type(error).__name__})",))


def _judged(changes: list[Change], rules: Rules) -> GateVerdict:
    refusals = [*_set_problems(changes), *(p for c in changes for p in _change_problems(c, rules))]
    if refusals:
        return GateVerdict(Decision.REFUSE, tuple(dict.fromkeys(refusals)))
    doubts = [d for c in changes for d in _doubts(c)]
    found, functions, class_doubts = _tier0(changes)
    doubts += class_doubts
    decision = Decision.NEEDS_OWNER if doubts else Decision.TIER0
    reasons = tuple(dict.fromkeys(doubts)) or (f"the change is a {found.replace('_', ' ')} and nothing else",)
    return GateVerdict(decision, reasons, found, functions)


def _set_problems(changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        yield "nothing is changed"
    if len(changes) > MAX_FILES:
        yield f"{len(changes)} files are changed, more than {MAX_FILES}"
    folded = [unicodedata.normalize("NFKC", c.path).casefold() for c in changes]
    if len(set(folded)) != len(folded):
        yield "two paths differ in nothing but their case"
    added = sum(len(added_lines(_text(c.old) or "", _text(c.new) or "")) for c in changes)
    if added > MAX_ADDED:
        yield f"{added} lines are added, more than {MAX_ADDED}"


def _change_problems(change: Change, rules: Rules) -> Iterator[str]:
    yield from path_problems(change.path, rules.editable, rules.protected)
    if change.path not in rules.may_change:
        yield f"{change.path!r} is outside of the intent lock"
    yield from _form_problems(change)
    old, new = _text(change.old), _text(change.new)
    if new is None or (change.old is not None and old is None):
        return
    yield from _content_problems(change.path, old or "", new, rules)


def _form_problems(change: Change) -> Iterator[str]:
    where = repr(change.path)
    if change.new is None:
        yield f"{where} is deleted"
        return
    if change.new_mode != REGULAR or (change.old is not None and change.old_mode != REGULAR):
        yield f"{where} is no plain file (mode {change.old_mode} to {change.new_mode})"
    if change.old == change.new:
        yield f"{where} is not changed"
    if len(change.new) > MAX_BYTES or len(change.old or b"") > MAX_BYTES:
        yield f"{where} is larger than {MAX_BYTES} bytes"
    elif _text(change.new) is None or _text(change.old or b"") is None:
        yield f"{where} is no text"


def _content_problems(path: str, old: str, new: str, rules: Rules) -> Iterator[str]:
    added = added_lines(old, new)
    found: Iterable[str] = text_problems(added)
    yield from (f"{path}: {what}" for what in found)
    if path.endswith((".py", ".pyi")):
        yield from (f"{path}: {what}" for what in python_problems(old, new))
    else:
        yield from (f"{path}: {what}" for what in script_problems(added))
    if copied(added, old, rules.visitors):
        yield f"{path}: a visitor's own words are copied into the code"


def _doubts(change: Change) -> Iterator[str]:
    if change.old is None:
        yield f"{change.path} is a new file"
        return
    old, new = _text(change.old) or "", _text(change.new) or ""
    if change.path.endswith(".py"):
        # The one import of the retry class is judged there.
        yield from (d for d in python_doubts(old, new) if d != "a new import: time")
    lines = len(added_lines(old, new)) + len(removed_lines(old, new))
    if lines > TIER0_LINES:
        yield f"{lines} lines are changed, more than {TIER0_LINES}"


def _tier0(changes: Sequence[Change]) -> tuple[str, tuple[str, ...], list[str]]:
    """The class, the function, and what keeps the change from tier 0."""
    if len(changes) != 1:
        return "", (), [f"{len(changes)} files are changed; tier 0 is one file"]
    (change,) = changes
    if not change.path.endswith(".py") or change.old is None or change.new is None:
        return "", (), ["tier 0 knows only changes of Python files"]
    found = classify(change.old.decode(), change.new.decode())
    functions = (found.function,) if found.function else ()
    if not found.name:
        return "", functions, [f"no tier-0 class: {found.why}"]
    delicate = found.name != "bounded_retry" and any(w in found.function.casefold() for w in _DELICATE)
    return found.name, functions, [f"{found.function} decides who may do what"] if delicate else []


def _text(content: bytes | None) -> str | None:
    """The text of a file; None when there is none or it is no UTF-8 text."""
    if content is None or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def verdict_load(stored: Mapping[str, Any]) -> Decision:
    """The decision in a stored verdict; anything unreadable is a refusal."""
    try:
        return Decision(stored["decision"])
    except (KeyError, ValueError, TypeError):
        return Decision.REFUSE
