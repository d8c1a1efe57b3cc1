"""What must be gone and what must appear: from the report, and from what healthy users' sessions showed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, cast
from urllib.parse import urlsplit

from workbench.scenario.errors import NotReproducible
from workbench.scenario.journey import Journey, same_element
from workbench.scenario.locators import common_to_all, locator_candidates
from workbench.scenario.model import (
    Expectation,
    FailureOracle,
    Fault,
    Locator,
    PositiveOracle,
    RequestPattern,
    StatusClass,
)
from workbench.scenario.recorded import Exchange, Outcome, Report
from workbench.scenario.shapes import message_pattern, path_matches, path_pattern, status_class

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Generous: only a run without a verdict waits it out, and a busy machine must not fail a good fix.
_MIN_WITHIN_MS, _MAX_WITHIN_MS = 10_000, 30_000
# One healthy session may have shown its owner's own words; a name of this form is the page's, not the user's.
_OWN_PATH = re.compile(r"/(?!/)[^\s\\]*$")
_STRUCTURAL = frozenset({"progressbar", "dialog", "status", "heading", "tab"})
_IMPERSONAL = re.compile(r"^[^\d@]{1,40}$")


def failure_oracle(report: Report, journey: Journey) -> FailureOracle:
    """Raises NotReproducible when the report has no sign of failure that a machine can look for."""
    request = failed_request(report, journey)
    swallowed = "exception_swallowed" in report.reasons
    exception = None
    if report.error is not None and not swallowed:
        exception = f"{report.error.type}: {message_pattern(report.error.message)}"[:500]
    silent = "no_visible_response" in report.reasons or (swallowed and request is None)
    expectation = _expectation(report)
    slow = _slower_than(report) if report.kind == "SLOW_RESPONSE" else None
    console: tuple[str, ...] = ()
    if not (request or exception or silent or expectation or slow):
        # Only when nothing stronger is there: many pages log errors on every visit, sick or healthy.
        lines = (message_pattern(line.text) for line in report.console if line.level == "error")
        console = tuple(dict.fromkeys(line for line in lines if line))[:10]
        if not console:
            raise NotReproducible("the report names no sign of failure that a machine can look for")
    return FailureOracle(
        request=request,
        no_visible_response=silent,
        console=console,
        exception=exception,
        expectation=expectation,
        slower_than_ms=slow,
    )


def failed_request(report: Report, journey: Journey) -> RequestPattern | None:
    """The request of the failing action that went wrong; one that writes before one that reads."""
    mine = [each for each in report.requests if each.action_id == journey.failing.id]
    if not mine:
        mine = [each for each in report.requests if each.action_id is None]
    failed = [
        each for each in [*mine, *journey.failing.after.requests] if _failed(each) and _own(report, each)
    ]
    if not failed:
        return None
    chosen = _writing_first(failed)[0]
    return _pattern(chosen, cast(StatusClass, status_class(chosen.status)))


def positive_oracle(
    report: Report,
    journey: Journey,
    failure: FailureOracle,
    outcomes: Sequence[Outcome],
    faults: Sequence[Fault],
) -> PositiveOracle:
    """The outcome of other users' successful sessions; without one, the least that the report itself
    implies.
    """
    patience = sum(fault.times * fault.retry_after_ms for fault in faults)
    healthy = [outcome for outcome in outcomes if _is_healthy(outcome, report, journey)]
    if healthy:
        oracle = _from_outcomes(healthy, failure, patience)
        if oracle is not None:
            return oracle
    opening = journey.fails_on_opening
    request = failure.request
    return PositiveOracle(
        source="report",
        request=request and request.model_copy(update={"status": "2xx"}),
        visible_change=not opening and failure.expectation is None,
        expectation=failure.expectation,
        navigated=path_pattern(journey.start_path) if opening and request is None else None,
        within_ms=min(_MAX_WITHIN_MS, _MIN_WITHIN_MS + patience),
    )


def _from_outcomes(
    healthy: Sequence[Outcome], failure: FailureOracle, patience: int
) -> PositiveOracle | None:
    request = _common_request(healthy, failure.request)
    navigated = {path_pattern(each.navigated) if each.navigated else None for each in healthy}
    target = navigated.pop() if len(navigated) == 1 else None
    appeared = locator_candidates(common_to_all(each.appeared for each in healthy))
    if len(healthy) == 1:
        appeared = _impersonal(appeared)
    if request is None and target is None and not appeared:
        return None
    slowest = max((each.ms or 0 for each in healthy), default=0)
    within = max(_MIN_WITHIN_MS, int(3 * slowest)) + patience
    return PositiveOracle(
        source="healthy_outcomes",
        observed=min(len(healthy), 10_000),
        request=request,
        appeared=appeared,
        navigated=target,
        visible_change=not appeared and target is None,
        expectation=failure.expectation,
        within_ms=min(_MAX_WITHIN_MS, within),
    )


def _is_healthy(outcome: Outcome, report: Report, journey: Journey) -> bool:
    element = journey.failing.element or report.element
    if element is not None and not same_element(outcome.element, element):
        return False
    if not path_matches(report.route or report.page, outcome.route):
        return False
    return not any(_failed(each) for each in outcome.requests)


def _common_request(healthy: Sequence[Outcome], failed: RequestPattern | None) -> RequestPattern | None:
    """The request that every healthy session made; the one that failed here before any other that writes."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for outcome in healthy:
        counted.update(
            {
                (each.method, path_pattern(each.path), status_class(each.status))
                for each in outcome.requests
                if _OWN_PATH.match(each.path)
            }
        )
    shared = [key for key, count in counted.items() if count == len(healthy)]
    if not shared:
        return None

    def rank(key: tuple[str, str, str]) -> tuple[bool, bool]:
        same = failed is not None and key[0] == failed.method and path_matches(failed.path, key[1])
        return (not same, key[0] in _SAFE_METHODS)

    method, path, status = min(shared, key=rank)
    return RequestPattern(method=method, path=path, status=cast(StatusClass, status))


def _expectation(report: Report) -> Expectation | None:
    wrong = report.expectation
    if wrong is None or report.element is None:
        return None
    locators = locator_candidates(report.element.locators)
    if not locators or not wrong.shown or wrong.shown == wrong.expected:
        return None
    return Expectation(
        name=wrong.name[:80], locators=locators, shown=wrong.shown[:80], expected=wrong.expected[:80]
    )


def _slower_than(report: Report) -> int | None:
    """Half of what was recorded: the bench is no slower than a user's machine and network."""
    slowest = max((each.ms or 0 for each in report.requests), default=0)
    return min(60_000, max(1000, int(slowest / 2))) if slowest else None


def _impersonal(appeared: tuple[Locator, ...]) -> tuple[Locator, ...]:
    """What one session shows that is the page's own: its test ids, else what has no words of a person in
    it.
    """
    marked = tuple(each for each in appeared if each.by == "testid")
    roles = (each for each in appeared if each.by == "role" and each.role in _STRUCTURAL)
    return marked or tuple(each for each in roles if not each.name or _IMPERSONAL.match(each.name))


def _failed(request: Exchange) -> bool:
    return request.status == 0 or request.status >= 400


def _own(report: Report, request: Exchange) -> bool:
    parts = urlsplit(request.path)
    return not parts.netloc or parts.netloc == urlsplit(report.page).netloc


def _safe_path(url: str) -> str:
    path = path_pattern(url)
    if not _OWN_PATH.fullmatch(path):
        raise NotReproducible("a recorded request has an address that is no path of the host")
    return path


def _pattern(request: Exchange, status: StatusClass | Literal[None] = None) -> RequestPattern:
    return RequestPattern(method=request.method, path=_safe_path(request.path), status=status)


def _writing_first(requests: Iterable[Exchange]) -> list[Exchange]:
    return sorted(requests, key=lambda each: each.method in _SAFE_METHODS)
