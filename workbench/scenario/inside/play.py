"""Plays the steps on a page. A step that can't be done as recorded ends the run as an error; nothing is
skipped.
"""

from __future__ import annotations

import asyncio
import mimetypes
import time
from typing import Any

from workbench.scenario.inside.watch import Watch
from workbench.scenario.model import Locator, Step, Wait
from workbench.scenario.shapes import path_matches

ELEMENT_S = 8.0
ACTION_MS = 5000
_FIRST_CHOICE_S = 0.4
_POLL_S = 0.03
# Roles whose accessible name is what they contain, or that have a given one in practice.
_NAMED_BY_CONTENT = frozenset(
    {"button", "cell", "checkbox", "columnheader", "combobox", "gridcell", "heading", "link", "menuitem"}
    | {"menuitemcheckbox", "menuitemradio", "option", "radio", "row", "rowheader", "searchbox", "slider"}
    | {"spinbutton", "switch", "tab", "textbox", "tooltip", "treeitem"}
)


class StepFailed(Exception):
    """The page did not allow the step; the message names step and reason."""


def find(page: Any, locator: Locator, *, exact: bool = True) -> Any:
    """The Playwright locator; values go through its typed calls or as plain CSS, never as a selector of ours.

    `exact=False` compares words as Playwright does by default and as recorders judge them to be unique:
    case-blind substrings.
    """
    match locator.by:
        case "testid":
            return page.get_by_test_id(locator.value)
        case "role":
            return _by_role(page, locator, exact=exact)
        case "placeholder":
            return page.get_by_placeholder(locator.value, exact=exact)
        case "label":
            return page.get_by_label(locator.value, exact=exact)
        case "text":
            return page.get_by_text(locator.value, exact=exact)
        case _:
            return page.locator(f"css={locator.value}")


def _by_role(page: Any, locator: Locator, *, exact: bool) -> Any:
    if not locator.name:
        return page.get_by_role(locator.role)
    named = page.get_by_role(locator.role, name=locator.name, exact=exact)
    if locator.role in _NAMED_BY_CONTENT:
        return named
    # Recorders name any element by its words; for these roles the standard knows only given names
    # (aria-label).
    return named.or_(page.get_by_role(locator.role).filter(has_text=locator.name))


async def visible_texts(page: Any, locator: Locator) -> list[str]:
    """What the visible matches read, in document order; empty when there is none."""
    from playwright.async_api import Error

    try:
        texts = await find(page, locator).filter(visible=True).all_inner_texts()
    except Error:
        return []
    return [str(text)[:500] for text in texts[:100]]


async def visible_count(page: Any, locator: Locator, *, exact: bool = True) -> int:
    """How many visible elements match; a locator that Playwright can't read matches none."""
    from playwright.async_api import Error

    try:
        return int(await find(page, locator, exact=exact).filter(visible=True).count())
    except Error:
        return 0


async def pick(page: Any, step: Step, notes: list[str]) -> Any:
    """The first candidate that matches exactly one visible element. Raises StepFailed with the counts of
    each.
    """
    started = time.monotonic()
    while True:
        counts = []
        for rank, locator in enumerate(step.locators):
            # The recorded first choice gets a moment before another candidate may stand in for it.
            usable = rank == 0 or time.monotonic() - started > _FIRST_CHOICE_S
            exact = await visible_count(page, locator)
            loose = await visible_count(page, locator, exact=False) if exact == 0 and usable else 0
            counts.append(exact or loose)
            if usable and counts[-1] == 1:
                if rank:
                    wanted = step.locators[0].describe()
                    notes.append(f"{step.kind}: found by {locator.describe()}, not by {wanted}")
                return find(page, locator, exact=exact == 1).filter(visible=True)
        if time.monotonic() - started > ELEMENT_S:
            tried = ", ".join(f"{one.describe()}: {n}" for one, n in zip(step.locators, counts, strict=True))
            raise StepFailed(f"no locator matches exactly one visible element ({tried[:400]})")
        await asyncio.sleep(_POLL_S)


async def play(page: Any, step: Step, base: str, notes: list[str]) -> None:
    """Do one step. Raises StepFailed."""
    from playwright.async_api import Error

    try:
        if step.kind == "navigate":
            await page.goto(f"{base}{step.path}", wait_until="load", timeout=15_000)
        elif step.kind == "back":
            await page.go_back(wait_until="load", timeout=15_000)
        elif step.kind == "press" and not step.locators:
            await page.keyboard.press(step.key)
        else:
            await _act(await pick(page, step, notes), step)
    except Error as failure:
        raise StepFailed(failure.message.splitlines()[0][:300]) from failure


async def _act(element: Any, step: Step) -> None:
    match step.kind:
        case "click":
            await element.click(timeout=ACTION_MS)
        case "fill":
            await element.fill(step.value or "", timeout=ACTION_MS)
        case "press":
            await element.press(step.key, timeout=ACTION_MS)
        case "select":
            await element.select_option(step.value, timeout=ACTION_MS)
        case "check":
            await element.set_checked(step.value != "off", timeout=ACTION_MS)
        case "upload":
            await element.set_input_files(_synthetic_file(step.value or ""), timeout=ACTION_MS)
        case _:
            raise StepFailed(f"the runner knows no step of kind {step.kind}")


def _synthetic_file(value: str) -> dict[str, Any]:
    """`png 2048` -> a file of that extension and size; its content is nobody's."""
    extension, _, size = value.partition(" ")
    name = f"upload.{extension}"
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {"name": name, "mimeType": kind, "buffer": b"\x00" * int(size)}


async def wait_for(page: Any, watch: Watch, wait: Wait, mark: float) -> None:
    """Wait until all came about that followed this action in the recording. Raises StepFailed naming
    what did not.
    """
    deadline = mark + wait.timeout_ms / 1000
    while True:
        missing = await _missing(page, watch, wait, mark)
        if missing is None:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise StepFailed(f"{missing} within {wait.timeout_ms} ms, as it did in the recording")
        await watch.next_change(min(left, 0.05))


async def _missing(page: Any, watch: Watch, wait: Wait, mark: float) -> str | None:
    if wait.navigated is not None and not path_matches(wait.navigated, page.url):
        return f"{wait.navigated} did not open"
    pattern = wait.request
    if pattern is not None and not any(
        seen.matches(pattern) and seen.ended is not None for seen in watch.since(mark)
    ):
        return f"{pattern.method} {pattern.path} did not finish"
    if wait.appeared is not None and await visible_count(page, wait.appeared) == 0:
        return f"{wait.appeared.describe()} did not appear"
    return None
