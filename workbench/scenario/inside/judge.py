"""The verdict of one run, from what was observed after the last step. Pure: no page, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.scenario.inside.watch import Seen
from workbench.scenario.model import FailureOracle, PositiveOracle, RequestPattern, Scenario
from workbench.scenario.shapes import message_pattern, path_matches
from workbench.scenario.wire import Verdict


@dataclass
class Observation:
    """State of the page `now` seconds after the last step began (`requests` carry the same clock from 0)."""

    now: float
    requests: list[Seen] = field(default_factory=list)
    appeared: frozenset[int] = frozenset()
    path: str = "/"
    changed: bool = False
    console: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    expectation_text: str | None = None


def outcome_missing(oracle: PositiveOracle, seen: Observation) -> list[str]:
    """What of the positive outcome is still missing, in words; empty when all of it appeared."""
    missing = []
    if oracle.request is not None and not _answered(oracle.request, seen.requests):
        wanted = oracle.request
        missing.append(f"{wanted.method} {wanted.path} answered {wanted.status or 'at all'}")
    for index, locator in enumerate(oracle.appeared):
        if index not in seen.appeared:
            missing.append(f"{locator.describe()} appears")
    if oracle.navigated is not None and not path_matches(oracle.navigated, seen.path):
        missing.append(f"{oracle.navigated} opens")
    if oracle.visible_change and not seen.changed:
        missing.append("something visible changes")
    if oracle.expectation is not None and oracle.expectation.expected not in (seen.expectation_text or ""):
        missing.append(f"{oracle.expectation.name} reads as it should")
    return missing


def failure_signs(oracle: FailureOracle, seen: Observation) -> list[str]:
    """The signs of the recorded failure that show right now.

    A page that stays silent without having made the request that failed in the recording stays silent for
    another reason (a field that it wants filled): that is not the recorded failure.
    """
    asked = oracle.request is None or any(each.matches(oracle.request) for each in seen.requests)
    signs = [_failed_request(oracle.request, seen)] if oracle.request is not None else []
    if oracle.no_visible_response and asked and not seen.changed and seen.now * 1000 >= oracle.silent_ms:
        signs.append("nothing visible answered the action")
    if oracle.exception is not None and any(_same_message(oracle.exception, one) for one in seen.exceptions):
        signs.append("the recorded exception was thrown")
    if any(_same_message(wanted, one) for wanted in oracle.console for one in seen.console):
        signs.append("the recorded console error was logged")
    wrong = oracle.expectation
    text = seen.expectation_text
    if wrong is not None and text is not None and wrong.shown in text and wrong.expected not in text:
        signs.append(f"{wrong.name} still reads wrongly")
    if oracle.slower_than_ms is not None and seen.now * 1000 >= oracle.slower_than_ms:
        signs.append(f"the action took longer than {oracle.slower_than_ms} ms")
    return [sign for sign in signs if sign]


def settled(scenario: Scenario, seen: Observation) -> bool:
    """Is a failure that shows now there to stay? True when nothing of the host's is under way and the time
    is over
    in which a page that tries again by itself would have done so.
    """
    patience = scenario.failure.silent_ms
    if scenario.failure.request is not None:
        # An answer that failed says it at once; only a page that heeds Retry-After needs longer than this.
        patience = 500 + max([500, *(fault.retry_after_ms for fault in scenario.faults)])
    if any(each.ended is None for each in seen.requests):
        return False
    quiet_since = max((each.ended or 0.0 for each in seen.requests), default=0.0)
    return (seen.now - quiet_since) * 1000 >= patience


def verdict(scenario: Scenario, seen: Observation) -> tuple[Verdict, str]:
    """passed: the outcome appeared and the failure did not; failed: the failure shows; error: neither."""
    signs = failure_signs(scenario.failure, seen)
    missing = outcome_missing(scenario.positive, seen)
    if signs:
        although = "" if missing else ", although the healthy outcome appeared"
        return "failed", ("; ".join(signs) + although)[:1000]
    if missing:
        within = scenario.positive.within_ms
        return "error", f"the recorded failure did not show, but this is missing after {within} ms: " + (
            "; ".join(missing)
        )[:800]
    return "passed", "the healthy outcome appeared"


def _answered(pattern: RequestPattern, requests: list[Seen]) -> bool:
    return any(each.matches(pattern) and each.answered_as(pattern.status) for each in requests)


def _failed_request(pattern: RequestPattern, seen: Observation) -> str | None:
    """The last try counts: a page that tries again and succeeds has done its work."""
    tries = [each for each in seen.requests if each.matches(pattern) and each.ended is not None]
    if not tries or not tries[-1].answered_as(pattern.status):
        return None
    return f"{pattern.method} {pattern.path} answered {tries[-1].final.status}"


def _same_message(wanted: str, found: str) -> bool:
    wanted, found = message_pattern(wanted), message_pattern(found)
    return wanted == found or (len(wanted) > 12 and wanted in found)
