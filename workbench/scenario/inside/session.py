"""One run: a fresh world, a fresh browser context, the steps, the verdict."""

from __future__ import annotations

import asyncio
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.scenario.inside.http import LoginRefused, login_cookies
from workbench.scenario.inside.observe import Observer, read_screen
from workbench.scenario.inside.play import StepFailed, play, wait_for
from workbench.scenario.inside.processes import NotHealthy
from workbench.scenario.inside.watch import Watch
from workbench.scenario.inside.world import World
from workbench.scenario.model import Scenario, Step
from workbench.scenario.wire import MAX_SCREENSHOT_BYTES, BenchSpec, RunRecord, Verdict, bounded
from workbench.screen import ScreenFacts

RUN_S = 90.0
# Pages that pick a random example or key would differ from run to run; the values are uniform, only not
# surprising.
_SEEDED_RANDOM = """(() => { let s = 0x2f6e2b1; Math.random = () => {
  s = (s + 0x6d2b79f5) | 0; let t = Math.imul(s ^ (s >>> 15), 1 | s);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296; }; })()"""


class WrongStart(Exception):
    """The page that the journey starts on did not open."""


@dataclass
class Told:
    """What a run has found out so far; filled in as it goes, so that an early end still tells it."""

    console: list[str] = field(default_factory=list)
    server: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    screen: ScreenFacts | None = None
    screenshot: bytes | None = None


async def run_once(
    spec: BenchSpec, root: Path, index: int, browser: asyncio.Future[Any]
) -> tuple[RunRecord, bytes | None]:
    """Never raises for what a host or page may do: every such end is a record with the verdict `error`."""
    from playwright.async_api import Error

    told, started = Told(), time.monotonic()
    verdict: Verdict = "error"
    try:
        async with asyncio.timeout(RUN_S):
            verdict, reason = await _run(spec, World(spec, root, index), browser, told)
    except (NotHealthy, LoginRefused, StepFailed, WrongStart) as failure:
        reason = str(failure)
    except TimeoutError:
        reason = f"the run took longer than {RUN_S:.0f} s"
    except Error as failure:
        reason = f"the browser gave up: {failure.message.splitlines()[0]}"
    except Exception as failure:  # one run's surprise must not take the other runs' results with it
        traceback.print_exc()
        reason = f"the runner failed: {type(failure).__name__}"
    record = RunRecord(
        verdict=verdict,
        reason=reason[:1000],
        seconds=round(time.monotonic() - started, 3),
        console_errors=bounded(told.console),
        server_errors=bounded(told.server),
        notes=bounded(told.notes),
        screen=told.screen,
    )
    return record, told.screenshot


async def _run(
    spec: BenchSpec, world: World, browser: asyncio.Future[Any], told: Told
) -> tuple[Verdict, str]:
    scenario = spec.scenario
    try:
        async with world:
            cookies = await login_cookies(world.port, world.secret, spec.user) if spec.user else []
            width, height = scenario.viewport
            # Shielded: a run that gives up must not take the browser of all runs with it.
            context = await (await asyncio.shield(browser)).new_context(
                viewport={"width": width, "height": height},
                locale=scenario.locale,
                reduced_motion="reduce",
                service_workers="block",
            )
            try:
                await context.add_init_script(_SEEDED_RANDOM)
                if cookies:
                    await context.add_cookies(cookies)
                return await _play_and_judge(scenario, world, await context.new_page(), told)
            finally:
                await context.close()
    finally:
        told.server = world.server_errors()


async def _play_and_judge(scenario: Scenario, world: World, page: Any, told: Told) -> tuple[Verdict, str]:
    watch = Watch(page, world.base)
    observer = Observer(page, watch, scenario)
    try:
        mark = time.monotonic()
        if not scenario.steps:
            await observer.prepare()
            await _open(page, world.base, scenario.start_path)
            return await observer.judge(mark)
        await _open(page, world.base, scenario.start_path, must_work=True)
        for number, step in enumerate(scenario.steps[:-1], start=1):
            mark = time.monotonic()
            with _named(number, step):
                await play(page, step, world.base, told.notes)
                if step.wait is not None:
                    await wait_for(page, watch, step.wait, mark)
        last = scenario.steps[-1]
        await observer.prepare()
        mark = time.monotonic()
        with _named(len(scenario.steps), last):
            await play(page, last, world.base, told.notes)
        return await observer.judge(mark)
    finally:
        told.console = [*watch.exceptions, *watch.console]
        if world.host is not None and world.host.ended:
            told.notes.append(f"the host process ended during the run: {world.host.last_words()}")
        if world.faults_played:
            told.notes.append(f"{world.faults_played} recorded faults were played")
        told.screen = observer.screen or await read_screen(page)
        told.screenshot = await _screenshot(page, told)


class _named:
    """Puts the step's number and name before what went wrong in it."""

    def __init__(self, number: int, step: Step) -> None:
        self._label = f"step {number} ({step.describe()[:120]})"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        if isinstance(failure, StepFailed):
            raise StepFailed(f"{self._label}: {failure}") from failure


async def _open(page: Any, base: str, path: str, *, must_work: bool = False) -> None:
    from playwright.async_api import Error

    try:
        response = await page.goto(f"{base}{path}", wait_until="load", timeout=20_000)
    except Error as failure:
        raise WrongStart(f"the start page did not open: {failure.message.splitlines()[0]}") from failure
    if must_work and response is not None and response.status >= 400:
        raise WrongStart(f"the start page answered {response.status}")


async def _screenshot(page: Any, told: Told) -> bytes | None:
    from playwright.async_api import Error

    try:
        image: bytes = await page.screenshot(type="jpeg", quality=60, timeout=5000)
    except Error as failure:
        told.notes.append(f"no screenshot: {failure.message.splitlines()[0]}")
        return None
    if len(image) > MAX_SCREENSHOT_BYTES:
        told.notes.append(f"the screenshot of {len(image)} bytes was left out")
        return None
    return image
