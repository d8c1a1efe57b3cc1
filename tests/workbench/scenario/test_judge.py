"""The verdict of one run, from what was observed: passed only with the outcome and without the failure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from workbench.scenario.inside.judge import Observation, settled, verdict
from workbench.scenario.inside.watch import Seen
from workbench.scenario.model import Fault, Scenario

POST = {"method": "POST", "path": "/api/generate"}


def scenario(failure: dict[str, Any], positive: dict[str, Any]) -> Scenario:
    return Scenario.model_validate(
        {"start_path": "/", "failure": failure, "positive": {"source": "report", **positive}}
    )


def tried(*statuses: int | None) -> list[Seen]:
    return [
        Seen("POST", "/api/generate", started=n, status=status, ended=None if status is None else n + 0.5)
        for n, status in enumerate(statuses)
    ]


GENERATE = scenario(
    {"request": {**POST, "status": "5xx"}, "no_visible_response": True},
    {"request": {**POST, "status": "2xx"}, "appeared": [{"by": "testid", "value": "preview"}]},
)
DONE = Observation(now=3.0, requests=tried(202), appeared=frozenset({0}), changed=True)


@pytest.mark.parametrize(
    ("seen", "expected", "words"),
    [
        (DONE, "passed", "healthy outcome appeared"),
        (replace(DONE, requests=tried(502, 202)), "passed", "healthy"),
        (replace(DONE, requests=tried(502), appeared=frozenset()), "failed", "answered 502"),
        (replace(DONE, requests=tried(202, 502)), "failed", "although the healthy outcome appeared"),
        (
            replace(DONE, requests=tried(502), appeared=frozenset(), changed=False),
            "failed",
            "nothing visible",
        ),
        (
            replace(DONE, requests=tried(400), appeared=frozenset()),
            "error",
            "did not show, but this is missing",
        ),
        (replace(DONE, requests=tried(None), appeared=frozenset()), "error", "answered 2xx"),
        (replace(DONE, appeared=frozenset()), "error", "testid 'preview' appears"),
        # Silent, but without the request that failed in the recording: another reason to be silent.
        (Observation(now=9.0), "error", "answered 2xx"),
    ],
)
def test_the_request_and_what_follows(seen: Observation, expected: str, words: str) -> None:
    found, reason = verdict(GENERATE, seen)
    assert (found, words in reason) == (expected, True), reason


def test_silence_counts_only_when_its_time_is_over() -> None:
    silent = scenario({"no_visible_response": True}, {"visible_change": True})
    assert verdict(silent, Observation(now=1.0))[0] == "error"
    assert verdict(silent, Observation(now=2.6))[0] == "failed"
    assert verdict(silent, Observation(now=2.6, changed=True))[0] == "passed"


def test_exceptions_console_and_time() -> None:
    shown = {"visible_change": True}
    thrown = scenario({"exception": "TypeError: x of # is not a function"}, shown)
    logged = scenario({"console": ["boom # times"]}, shown)
    slow = scenario({"slower_than_ms": 2000}, shown)
    done = Observation(now=1.0, changed=True)
    assert verdict(thrown, replace(done, exceptions=["TypeError: x of 7 is not a function"]))[0] == "failed"
    assert verdict(thrown, replace(done, exceptions=["RangeError: else"]))[0] == "passed"
    assert verdict(logged, replace(done, console=["boom 3 times"]))[0] == "failed"
    assert verdict(slow, replace(done, now=2.5))[0] == "failed"
    assert verdict(slow, done)[0] == "passed"


def test_a_value_must_read_as_expected() -> None:
    wrong = {
        "name": "credits",
        "locators": [{"by": "testid", "value": "balance"}],
        "shown": "50",
        "expected": "150",
    }
    credit = scenario({"expectation": wrong}, {"expectation": wrong})
    read = {
        text: verdict(credit, Observation(now=1.0, expectation_text=text))[0] for text in ("50", "150", "7")
    }
    assert read == {"50": "failed", "150": "passed", "7": "error"}
    assert verdict(credit, Observation(now=1.0))[0] == "error"


def test_a_navigation_and_a_followed_redirect() -> None:
    moved = scenario(
        {"request": {**POST, "status": "5xx"}},
        {"request": {**POST, "status": "2xx"}, "navigated": "/apps/:id"},
    )
    (first,) = tried(302)
    first.redirected_to = Seen("GET", "/apps/7", started=1, status=200, ended=1.2)
    assert verdict(moved, Observation(now=2.0, requests=[first], path="/apps/7"))[0] == "passed"
    assert verdict(moved, Observation(now=2.0, requests=[first], path="/studio"))[0] == "error"


def test_a_failure_has_settled_when_nothing_is_under_way_and_nobody_tries_again() -> None:
    assert not settled(GENERATE, Observation(now=9.0, requests=tried(502, None)))
    assert not settled(GENERATE, Observation(now=1.4, requests=tried(502)))
    assert settled(GENERATE, Observation(now=1.6, requests=tried(502)))
    fault = Fault(service="model", status=429, headers={"Retry-After": "2"})
    heeding = GENERATE.model_copy(update={"faults": (fault,)})
    assert not settled(heeding, Observation(now=2.9, requests=tried(502)))
    assert settled(heeding, Observation(now=3.1, requests=tried(502)))
    silent = scenario({"no_visible_response": True}, {"visible_change": True})
    assert not settled(silent, Observation(now=2.4))
    assert settled(silent, Observation(now=2.6))
