"""A scenario as the Playwright script that a developer would have written: for reading and for trying by
hand.

The bench never runs it. Recorded words stand in it as quoted literals only.
"""

from __future__ import annotations

from workbench.scenario.model import Fault, Locator, PositiveOracle, RequestPattern, Scenario, Step, Wait

_HEAD = '''\
"""What the user did, as recorded. Run it against a host on BASE with `python -m pytest`."""

import re

from playwright.sync_api import Page, expect

BASE = "http://127.0.0.1:8000"


def test_recorded_journey(page: Page) -> None:
'''


def scenario_script(scenario: Scenario) -> str:
    """Python source for pytest-playwright. Steps, waits and the positive outcome; failures as comments."""
    lines = [*map(_fault, scenario.faults), f"page.goto(BASE + {scenario.start_path!r})"]
    for step in scenario.steps[:-1]:
        lines += _with_wait(step)
    lines += _outcome(scenario.positive, _action(scenario.steps[-1]) if scenario.steps else "page.reload()")
    body = "\n".join(f"    {line}" if line else "" for block in lines for line in block.split("\n"))
    return f"{_HEAD}{body}\n"


def _with_wait(step: Step) -> list[str]:
    wait = step.wait or Wait()
    lines = [_action(step)]
    if wait.request is not None:
        lines = [f"with page.expect_response({_response(wait.request)}):", f"    {_action(step)}"]
    if wait.navigated is not None:
        lines.append(f"page.wait_for_url({_url(wait.navigated)})")
    if wait.appeared is not None:
        lines.append(f"expect({_locator(wait.appeared)}.first).to_be_visible()")
    return lines


def _outcome(oracle: PositiveOracle, action: str) -> list[str]:
    source = f"{oracle.observed} healthy sessions" if oracle.source == "healthy_outcomes" else "the report"
    lines = ["", f"# The outcome that must appear, from {source}."]
    if oracle.request is None:
        lines.append(action)
    else:
        lines += [f"with page.expect_response({_response(oracle.request)}):", f"    {action}"]
    if oracle.navigated is not None:
        lines.append(f"page.wait_for_url({_url(oracle.navigated)})")
    for locator in oracle.appeared:
        shown = f"expect({_locator(locator)}.first).to_be_visible"
        lines.append(f"{shown}(timeout={oracle.within_ms})")
    if oracle.expectation is not None:
        element = _locator(oracle.expectation.locators[0])
        lines.append(f"expect({element}).to_contain_text({oracle.expectation.expected!r})")
    if oracle.visible_change:
        lines.append("# ... and something visible must change.")
    return lines


def _action(step: Step) -> str:
    if step.kind == "navigate":
        return f"page.goto(BASE + {step.path!r})"
    if step.kind == "back":
        return "page.go_back()"
    if step.kind == "press" and not step.locators:
        return f"page.keyboard.press({step.key!r})"
    if step.kind == "upload":
        return f"{_locator(step.locators[0])}.{_upload(step.value or '')}"
    calls = {
        "click": "click()",
        "fill": f"fill({step.value!r})",
        "press": f"press({step.key!r})",
        "select": f"select_option({step.value!r})",
        "check": "uncheck()" if step.value == "off" else "check()",
    }
    return f"{_locator(step.locators[0])}.{calls[step.kind]}"


def _upload(value: str) -> str:
    extension, _, size = value.partition(" ")
    file = f"'name': {f'upload.{extension}'!r}, 'mimeType': 'application/octet-stream'"
    return f"set_input_files({{{file}, 'buffer': bytes({int(size)})}})"


def _locator(locator: Locator) -> str:
    if locator.by == "role":
        name = f", name={locator.name!r}, exact=True" if locator.name else ""
        return f"page.get_by_role({locator.role!r}{name})"
    if locator.by == "testid":
        return f"page.get_by_test_id({locator.value!r})"
    if locator.by == "css":
        return f"page.locator({f'css={locator.value}'!r})"
    return f"page.get_by_{locator.by}({locator.value!r}, exact=True)"


def _response(pattern: RequestPattern) -> str:
    lowest = {"2xx": "200 <= r.status < 300", "3xx": "300 <= r.status < 400"}.get(pattern.status or "")
    method = f"r.request.method == {pattern.method!r}"
    return " and ".join(filter(None, [f"lambda r: {method}", f"{_url(pattern.path)}.search(r.url)", lowest]))


def _url(path: str) -> str:
    """A regular expression for the end of a URL; `:id` is any one segment."""
    segments = "/".join("[^/]+" if part == ":id" else _literal(part) for part in path.split("/"))
    pattern = segments + r"(\?.*)?$"
    return f"re.compile({pattern!r})"


def _literal(text: str) -> str:
    return "".join(char if char.isalnum() or char in "-_/" else f"\\{char}" for char in text)


def _fault(fault: Fault) -> str:
    what = f"answers {fault.status}" if fault.status else "hangs up"
    where = f"{fault.method or 'any request'} {fault.path or ''}".strip()
    return f"# Recorded: {fault.service} {what} to {where!r}, {fault.times} times."
