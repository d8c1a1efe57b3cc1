"""What a user of Forge waits for: from the click to the popup, from the report to "fixed".

python -m benchmarks.demo

Each round starts a demo of its own (fresh state, the demo's rollout clock) and tells its three stories; then
visitors meet a failing request and a dead button, one after the other, for the popup's times.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route

from benchmarks.results import Figure, percentile, results_write
from kriptik_ops.stories.browser import Visitor, visitor
from kriptik_ops.stories.forge import clicked, sign_up
from kriptik_ops.stories.process import DemoProcess, fresh_environment

ROUNDS = 2
FAILING_REQUESTS = 15
DEAD_BUTTONS = 6
POPUP_S = 10
# Generate without its listeners: what a page looks like whose script never ran.
UNPLUG = """
const form = document.querySelector('[data-testid="prompt"]').form;
const copy = form.cloneNode(true);
for (const button of copy.querySelectorAll("button")) button.type = "button";
form.replaceWith(copy);
"""


def main() -> None:
    stories: list[dict[str, Any]] = []
    first_start: list[float] = []
    second_start: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-demo-") as folder:
        for number in range(ROUNDS):
            demo = DemoProcess(fresh_environment(Path(folder) / str(number)))
            try:
                first_start.append(_seconds(demo.start))
                told, printed = demo.tell()
                print(printed)
                stories.append(told)
                if number == ROUNDS - 1:
                    errors = popups(demo.host_url, FAILING_REQUESTS, _failing_requests)
                    silences = popups(demo.host_url, DEAD_BUTTONS, _dead_button)
                demo.stop()
                second_start.append(_seconds(demo.start))
            finally:
                demo.stop()
    write(stories, errors, silences, first_start, second_start)


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def write(
    stories: list[dict[str, Any]],
    errors: list[int],
    silences: list[int],
    first_start: list[float],
    second_start: list[float],
) -> None:
    runbooks = [
        _between(told[name], ("incident", "detected"), ("incident", "resolved"))
        for told in stories
        for name in ("credits", "learned")
    ]
    candidates = [
        _between(told["silent_failure"], ("incident", "detected"), ("rollout", "affected_user"))
        for told in stories
    ]
    healed = sum(story["outcome"] == "healed" for told in stories for story in told.values())
    told = sum(len(one) for one in stories)
    results_write(
        "demo",
        [
            Figure("popup_ms_max", max(silences), "ms", "<= 3000"),
            Figure("error_popup_ms_p95", percentile(errors, 0.95), "ms", "<= 500"),
            Figure("runbook_fixed_ms_p95", percentile(runbooks, 0.95), "ms", "<= 5000"),
            Figure("code_candidate_ms_p50", statistics.median(candidates), "ms", "<= 90000"),
            Figure("stories", told, "stories"),
            Figure("stories_healed", healed, "stories", f">= {told}"),
            Figure("first_start_s_p50", statistics.median(first_start), "s"),
            Figure("second_start_s_max", max(second_start), "s", "<= 10"),
        ],
    )


def popups(host_url: str, count: int, break_page: Callable[[Page], None]) -> list[int]:
    """Times from a click on Generate to the popup, in ms, each by a new user in a new browser."""
    times = []
    for number in range(count):
        with visitor(host_url) as user:
            sign_up(user.page, f"eve{number}")
            user.page.get_by_test_id("prompt").fill("A to-do list")
            user.page.wait_for_function("() => window.Kriptik")
            break_page(user.page)
            user.page.get_by_test_id("generate").click()
            times.append(_popup(user))
    return times


def _popup(user: Visitor) -> int:
    at = clicked(user)
    return user.wait_for_popup(POPUP_S) - at


def _failing_requests(page: Page) -> None:
    def fail(route: Route) -> None:
        route.fulfill(status=502, json={"error": {"code": "generation_failed"}})

    page.route("**/api/generate", fail)


def _dead_button(page: Page) -> None:
    page.evaluate(UNPLUG)


def _between(story: dict[str, Any], begin: tuple[str, str], end: tuple[str, str]) -> int:
    """ms between two facts of a story; an unhealed story has no such time and is an error here."""
    when = {}
    for fact in story["facts"]:
        when.setdefault((fact["source"], fact["what"]), fact["at_ms"])
    if begin not in when or end not in when:
        raise SystemExit(f"{story['scenario']} was not healed: {story['reason'] or 'no such fact'}")
    return int(when[end] - when[begin])


if __name__ == "__main__":
    main()
