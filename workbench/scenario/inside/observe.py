"""Watches the page from the last step on until the run can be judged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from workbench.scenario.inside.judge import Observation, failure_signs, outcome_missing, settled, verdict
from workbench.scenario.inside.play import find, visible_count, visible_texts
from workbench.scenario.inside.watch import Seen, Watch
from workbench.scenario.model import Locator, Scenario
from workbench.scenario.wire import Verdict
from workbench.screen import READ_SCREEN_JS, ScreenFacts, screen_parse
from workbench.screen.facts import digits_masked

_LOOK_S = 0.05
_READ_EVERY_S = 0.15
# An answer changes a number once, a clock again and again: so many values of one text are no answer.
_TICKS = 3
_MAX_VALUES = 1000
# A page that streams or polls is never quiet; the outcome is there, so it is not waited for any longer
# than this.
_GRACE_S = 0.5


async def read_screen(page: Any) -> ScreenFacts | None:
    """What is visible now; None while the page is being replaced by another."""
    from playwright.async_api import Error

    try:
        return screen_parse(await page.evaluate(READ_SCREEN_JS))
    except Error:
        return None


class Observer:
    """`prepare` before the last step, `judge` beside it."""

    def __init__(self, page: Any, watch: Watch, scenario: Scenario) -> None:
        self._page, self._watch, self._scenario = page, watch, scenario
        self._before: ScreenFacts | None = None
        self._latest: ScreenFacts | None = None
        self._read_at = 0.0
        self._values: dict[str, set[str]] = {}
        self._appeared: set[int] = set()
        self._looking: list[asyncio.Task[None]] = []

    @property
    def screen(self) -> ScreenFacts | None:
        return self._latest

    async def prepare(self) -> None:
        """Note what is visible already, so that only what the action brings about counts as its outcome."""
        self._before = await read_screen(self._page)
        self._note_values(self._before)
        for index, locator in enumerate(self._scenario.positive.appeared):
            already = await visible_texts(self._page, locator)
            self._looking.append(asyncio.create_task(self._look_for(index, locator, already)))

    async def judge(self, mark: float) -> tuple[Verdict, str]:
        """Look until the outcome is there, the failure has settled, or the time is over."""
        within = self._scenario.positive.within_ms / 1000
        complete_since: float | None = None
        try:
            while True:
                seen = await self._observe(mark)
                if outcome_missing(self._scenario.positive, seen):
                    complete_since = None
                    if failure_signs(self._scenario.failure, seen) and settled(self._scenario, seen):
                        break
                else:
                    complete_since = complete_since or seen.now
                    if not self._watch.under_way(mark) or seen.now - complete_since > _GRACE_S:
                        break
                if seen.now >= within:
                    break
                await self._watch.next_change(_LOOK_S)
            self._read_at = 0.0
            return verdict(self._scenario, await self._observe(mark))
        finally:
            for task in self._looking:
                task.cancel()

    async def _look_for(self, index: int, locator: Locator, already: list[str]) -> None:
        """Waiting inside the page sees what is there for one frame only; counting is for what was there
        before.
        """
        from playwright.async_api import Error

        milliseconds = self._scenario.positive.within_ms + 20_000
        with contextlib.suppress(Error):
            if not already:
                wanted = find(self._page, locator).filter(visible=True).first
                await wanted.wait_for(state="attached", timeout=milliseconds)
            else:
                while (await visible_texts(self._page, locator) or already) == already:
                    await asyncio.sleep(_LOOK_S)
            self._appeared.add(index)
            self._watch.changed.set()

    async def _observe(self, mark: float) -> Observation:
        now = time.monotonic()
        if now - self._read_at >= _READ_EVERY_S:
            self._latest = await read_screen(self._page) or self._latest
            self._read_at = now
            self._note_values(self._latest)
        return Observation(
            now=now - mark,
            requests=[_from_mark(seen, mark) for seen in self._watch.since(mark)],
            appeared=frozenset(self._appeared),
            path=urlsplit(self._page.url).path or "/",
            changed=self._changed(),
            console=list(self._watch.console),
            exceptions=list(self._watch.exceptions),
            expectation_text=await self._expectation_text(),
        )

    def _note_values(self, screen: ScreenFacts | None) -> None:
        for run in screen.texts if screen else ():
            masked = digits_masked(run.text)
            if masked != run.text and len(self._values) < _MAX_VALUES:
                self._values.setdefault(masked, set()).add(run.text)

    def _changed(self) -> bool:
        """Does the screen differ from before the action, clocks left aside?"""
        if self._latest is None or self._before is None:
            return False
        ticking = frozenset(
            masked for masked, values in self._values.items() if len(values) >= _TICKS + self._alike(masked)
        )
        return self._latest.signature(ticking) != self._before.signature(ticking)

    def _alike(self, masked: str) -> int:
        """How many more texts of this form stand on the screen at once: ten prices are no clock."""
        texts = self._latest.texts if self._latest else ()
        return max(0, len({run.text for run in texts if digits_masked(run.text) == masked}) - 1)

    async def _expectation_text(self) -> str | None:
        """What the element in question reads; None while it is not there or not the only one."""
        from playwright.async_api import Error

        wanted = self._scenario.failure.expectation
        for locator in wanted.locators if wanted else ():
            if await visible_count(self._page, locator) == 1:
                with contextlib.suppress(Error):
                    return str(await find(self._page, locator).filter(visible=True).inner_text(timeout=1000))
        return None


def _from_mark(seen: Seen, mark: float) -> Seen:
    ended = None if seen.ended is None else seen.ended - mark
    return replace(seen, started=seen.started - mark, ended=ended)
