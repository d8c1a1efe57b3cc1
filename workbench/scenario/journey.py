"""The shortest sufficient journey: which of the recorded actions lead to the failure, and where they
begin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from workbench.scenario.errors import NotReproducible
from workbench.scenario.recorded import Action, Element, Report
from workbench.scenario.shapes import local_path

_SECRET_FIELD = re.compile(r"passw|passcode|one.?time|\botp\b", re.IGNORECASE)
# What the SDK sends for passwords and codes instead of their shape.
SECRET_SHAPE = "********"
_NO_STEP = frozenset({"hover", "submit"})


@dataclass(frozen=True)
class Journey:
    start_path: str
    actions: tuple[Action, ...]
    failing: Action
    notes: tuple[str, ...]

    @property
    def fails_on_opening(self) -> bool:
        return not self.actions


def journey_of(report: Report) -> Journey:
    """Raises NotReproducible when the recording has no way from a page that can be opened to the failure."""
    actions = [action for action in report.actions if action.kind not in _NO_STEP]
    if not actions:
        raise NotReproducible("the report has no recorded actions")
    last = _failing_index(report, actions)
    failing = actions[last]
    if failing.kind == "back":
        raise NotReproducible(
            "the failing action is going back: the page before it is not part of the journey"
        )
    first, start = _beginning(actions, last)
    path = list(actions[first : last + 1])
    _refuse_outside(report, [start, *(action.url for action in path)])
    if any(action.kind == "fill" and _types_secret(action) for action in path):
        raise NotReproducible("the journey types a password or code: logging in is never replayed")
    kept = _compact(path, failing)
    dropped = len(path) - len(kept)
    notes = (f"{dropped} actions without effect on the outcome were left out",) if dropped else ()
    return Journey(start_path=local_path(start), actions=tuple(kept), failing=failing, notes=notes)


def same_element(one: Element | None, other: Element | None) -> bool:
    """Same fingerprint, or, where a recorder gave none, the same role and name."""
    if one is None or other is None:
        return False
    if one.fingerprint and other.fingerprint:
        return one.fingerprint == other.fingerprint
    return bool(one.name) and (one.role, one.name) == (other.role, other.name)


def secret_field(element: Element | None) -> bool:
    if element is None:
        return False
    words: list[str | None] = [element.name, *(locator.value or locator.name for locator in element.locators)]
    return any(word and _SECRET_FIELD.search(word) for word in words)


def _types_secret(action: Action) -> bool:
    return action.shape == SECRET_SHAPE or secret_field(action.element)


def _failing_index(report: Report, actions: list[Action]) -> int:
    indexes = range(len(actions) - 1, -1, -1)
    if report.action_id is not None:
        for index in indexes:
            if actions[index].id == report.action_id:
                return index
    for index in indexes:
        if same_element(actions[index].element, report.element) and actions[index].kind != "fill":
            return index
    if report.action_id is not None or report.element is not None:
        raise NotReproducible("the failing action is not among the recorded actions")
    for index in indexes:
        if actions[index].kind != "fill":
            return index
    raise NotReproducible("the recording holds typing only, no action that could have failed")


def _beginning(actions: list[Action], last: int) -> tuple[int, str]:
    """Index of the first step and the address to open before it: after the last page load that led here."""
    if actions[last].kind == "navigate":
        return last + 1, actions[last].url
    for index in range(last - 1, -1, -1):
        action = actions[index]
        # Going back is recorded on arrival, with the address of the page that it led to.
        if action.kind in ("navigate", "back"):
            return index + 1, action.url
        if action.after.navigated:
            return index + 1, action.after.navigated
    here = local_path(actions[last].url)
    first = last
    while first > 0 and local_path(actions[first - 1].url) == here:
        first -= 1
    return first, actions[last].url


def _refuse_outside(report: Report, urls: list[str]) -> None:
    home = urlsplit(report.page)
    for url in urls:
        parts = urlsplit(url)
        if not parts.scheme and not parts.netloc:
            if not parts.path.startswith("/"):
                raise NotReproducible("the journey has an address that is no path of the host")
        elif parts.scheme not in ("http", "https") or (parts.scheme, parts.netloc) != (
            home.scheme,
            home.netloc,
        ):
            raise NotReproducible("the journey leaves the host: only the host's own pages can be played")


def _compact(path: list[Action], failing: Action) -> list[Action]:
    kept: list[Action] = []
    for action in path:
        if action is not failing and (_ineffective(action) or _is_retry(action, failing)):
            continue
        if kept and _swallows(action, kept[-1]):
            kept.pop()
        kept.append(action)
    return kept


def _ineffective(action: Action) -> bool:
    """A click on no control that changed nothing. On a control it is kept: a script may have set a
    field's value.
    """
    if action.kind != "click" or not action.after.nothing:
        return False
    return action.element is None or action.element.role is None


def _is_retry(action: Action, failing: Action) -> bool:
    """The same action on the same element that did no better: the user tried, and tried again."""
    if action.kind != failing.kind or not same_element(action.element, failing.element):
        return False
    after = action.after
    failed = any(request.status == 0 or request.status >= 400 for request in after.requests)
    return failed or not (after.mutated or after.navigated or after.appeared)


def _swallows(action: Action, before: Action) -> bool:
    """Typing focuses the field and replaces what was in it: the click and the typing before it add
    nothing.
    """
    if not same_element(action.element, before.element):
        return False
    if action.kind == "fill":
        return before.kind in ("fill", "click")
    return action.kind in ("select", "check", "upload") and before.kind == "click"
