"""Steps and observer on a real page: done exactly as recorded, or an error that says what was wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, async_playwright

from workbench.scenario.inside import play as playing
from workbench.scenario.inside.observe import Observer
from workbench.scenario.inside.play import StepFailed, play, wait_for
from workbench.scenario.inside.watch import Watch
from workbench.scenario.model import Scenario, Step, Wait

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

BASE = "http://127.0.0.1:9"
FORM = """<!doctype html><main><form onsubmit="event.preventDefault(); sent.textContent += '!'">
<label for=name>Name</label><input id=name placeholder="Your name">
<select aria-label=Size><option value=s>Small<option value=l>Large</select>
<input type=checkbox aria-label=Terms><input type=file aria-label=Photo>
<button data-testid=send>Send  now</button></form><p id=sent></p>
<button class=twin>Twin</button><button class=twin>Twin</button><button hidden>Secret</button></main>"""


async def answer(route: Route) -> None:
    path = route.request.url.removeprefix(BASE)
    status = int(path.split("=")[1]) if "=" in path else 200
    body = FORM if path in ("/", "/form") else f"<main>{path}</main>"
    await route.fulfill(status=status, body=body, content_type="text/html")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Any]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Any) -> AsyncIterator[Page]:
    page = await browser.new_page()
    await page.route("**/*", answer)
    await page.goto(f"{BASE}/")
    yield page
    await page.close()


def step(kind: str, *locators: dict[str, str], **facts: Any) -> Step:
    return Step.model_validate({"kind": kind, "locators": locators, **facts})


def role(role: str, name: str) -> dict[str, str]:
    return {"by": "role", "role": role, "name": name}


async def test_every_kind_of_step_does_what_the_user_did(page: Page) -> None:
    notes: list[str] = []
    for each in (
        step("fill", {"by": "label", "value": "Name"}, value="Ann"),
        step("select", role("combobox", "Size"), value="l"),
        step("check", role("checkbox", "Terms"), value="on"),
        step("upload", {"by": "css", "value": "input[type=file]"}, value="png 300"),
        step("press", {"by": "placeholder", "value": "Your name"}, key="Enter"),
        step("click", {"by": "testid", "value": "send"}),
    ):
        await play(page, each, BASE, notes)
    done = await page.evaluate(
        """() => { const [name, terms, photo] = document.querySelectorAll('input');
        return [name.value, document.querySelector('select').value, terms.checked,
          photo.files[0].name, photo.files[0].size, sent.textContent]; }"""
    )
    assert done == ["Ann", "l", True, "upload.png", 300, "!!"]
    await play(page, step("check", role("checkbox", "Terms"), value="off"), BASE, notes)
    assert not await page.evaluate("document.querySelector('[type=checkbox]').checked")
    await play(page, step("navigate", path="/form?x"), BASE, notes)
    await play(page, step("back"), BASE, notes)
    assert page.url == f"{BASE}/"
    assert notes == []


async def test_many_none_and_hidden_elements_are_errors_with_their_counts(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "ELEMENT_S", 0.3)
    click = step(
        "click",
        {"by": "css", "value": ".twin"},
        {"by": "text", "value": "Nowhere"},
        role("button", "Secret"),
        {"by": "css", "value": "((("},
    )
    with pytest.raises(StepFailed) as failure:
        await play(page, click, BASE, [])
    assert "css '.twin': 2, text 'Nowhere': 0, button 'Secret': 0, css '(((': 0" in str(failure.value)
    assert await page.inner_text("#sent") == ""


async def test_another_candidate_stands_in_and_is_reported(page: Page) -> None:
    notes: list[str] = []
    renamed = step("click", {"by": "testid", "value": "old"}, role("button", "Send now"))
    await play(page, renamed, BASE, notes)
    assert await page.inner_text("#sent") == "!"
    assert notes == ["click: found by button 'Send now', not by testid 'old'"]


async def test_words_are_compared_as_loosely_as_the_recorder_did(page: Page) -> None:
    await play(page, step("click", role("button", "send")), BASE, [])
    assert await page.inner_text("#sent") == "!"


async def test_an_action_that_the_page_does_not_allow_is_an_error(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "ACTION_MS", 300)
    await page.evaluate("document.querySelector('[data-testid=send]').disabled = true")
    with pytest.raises(StepFailed, match="Timeout"):
        await play(page, step("click", {"by": "testid", "value": "send"}), BASE, [])


async def test_waiting_ends_with_the_facts_and_names_the_missing_one(page: Page) -> None:
    watch = Watch(page, BASE)
    mark = time.monotonic()
    wait = Wait.model_validate(
        {
            "request": {"method": "GET", "path": "/api/jobs/:id"},
            "appeared": {"by": "testid", "value": "late"},
            "navigated": "/jobs/:id",
            "timeout_ms": 5000,
        }
    )
    waiting = asyncio.create_task(wait_for(page, watch, wait, mark))
    await page.evaluate("fetch('/api/jobs/42').then(() => history.pushState({}, '', '/jobs/42'))")
    await page.evaluate("sent.dataset.testid = 'late', sent.textContent = 'x'")
    await waiting

    for missing, words in (
        ({"request": {"method": "POST", "path": "/never"}}, "POST /never did not finish"),
        ({"navigated": "/never"}, "/never did not open"),
        ({"appeared": {"by": "testid", "value": "never"}}, "testid 'never' did not appear"),
    ):
        with pytest.raises(StepFailed, match=words):
            wait = Wait.model_validate({**missing, "timeout_ms": 100})
            await wait_for(page, watch, wait, time.monotonic())


async def judged(
    page: Page, script: str, failure: dict[str, Any], positive: dict[str, Any], within_ms: int = 8000
) -> Any:
    scenario = Scenario.model_validate(
        {
            "start_path": "/",
            "failure": {"silent_ms": 300, **failure},
            "positive": {"source": "report", "within_ms": within_ms, **positive},
        }
    )
    observer = Observer(page, Watch(page, BASE), scenario)
    await observer.prepare()
    mark = time.monotonic()
    await page.evaluate(script)
    return await observer.judge(mark)


PREVIEW = {"appeared": [{"by": "testid", "value": "preview"}]}
SILENT = {"no_visible_response": True}
SHOW = "document.body.insertAdjacentHTML('beforeend', '<p data-testid=preview>Done</p>');"


async def test_what_was_there_before_is_no_outcome(page: Page) -> None:
    await page.evaluate(SHOW)
    assert (await judged(page, "0", SILENT, PREVIEW))[0] == "failed"
    assert (await judged(page, SHOW, SILENT, PREVIEW))[0] == "passed", "one more of it is"
    change = "document.querySelector('[data-testid=preview]').textContent = 'Another'"
    assert (await judged(page, change, SILENT, PREVIEW))[0] == "passed", "and so are other words in it"
    gone = "document.querySelectorAll('[data-testid=preview]').forEach((each) => each.remove())"
    assert (await judged(page, gone, SILENT, PREVIEW, 700))[0] == "error", "that it went is not"


async def test_an_outcome_is_found_by_the_words_that_the_recorder_took_for_its_name(page: Page) -> None:
    positive = {"appeared": [role("listitem", "Plan the screensTwo of them")]}
    show = "document.body.insertAdjacentHTML('beforeend', '<ul><li><b>Plan the screens</b>%s</li></ul>')"
    assert (await judged(page, show % "None", SILENT, positive, 700))[0] == "error"
    assert (await judged(page, show % "<i>Two of them</i>", SILENT, positive))[0] == "passed"


async def test_what_was_there_for_a_moment_only_is_seen(page: Page) -> None:
    # Long enough for one look on a busy machine.
    flash = SHOW + "setTimeout(() => document.querySelector('[data-testid=preview]').remove(), 1500)"
    assert (await judged(page, flash, {"exception": "E: x"}, PREVIEW))[0] == "passed"


async def test_a_page_that_tries_again_by_itself_is_given_the_time(page: Page) -> None:
    failure = {"request": {"method": "GET", "path": "/api/x", "status": "5xx"}}
    positive = {"request": {"method": "GET", "path": "/api/x", "status": "2xx"}, "visible_change": True}
    once = "fetch('/api/x?s=503')"
    again = f"{once}.then(() => setTimeout(() => fetch('/api/x?s=200').then(() => {{ {SHOW} }}), 150))"
    assert (await judged(page, once, failure, positive)) == ("failed", "GET /api/x answered 503")
    assert (await judged(page, again, failure, positive))[0] == "passed"


async def test_a_clock_is_no_answer_and_a_changed_number_is_one(page: Page) -> None:
    clock = "let n = 0; setInterval(() => { sent.textContent = 'Now ' + n++; }, 200); 0"
    once = "sent.textContent = 'Balance 49'"
    await page.evaluate("sent.textContent = 'Balance 50'")
    shown = {"visible_change": True}
    assert (await judged(page, once, SILENT, shown))[0] == "passed"
    await page.evaluate("sent.textContent = 'Now 1000'")
    found = await judged(page, clock, {**SILENT, "silent_ms": 1500}, PREVIEW)
    assert found == ("failed", "nothing visible answered the action")


async def test_exceptions_and_console_errors_of_the_page_are_heard(page: Page) -> None:
    script = "setTimeout(() => { console.error('boom 4'); throw new TypeError('bad 7'); }); 0"
    found = await judged(page, script, {"exception": "TypeError: bad #"}, {"visible_change": True})
    assert found == ("failed", "the recorded exception was thrown")
    script = "setTimeout(() => console.error('boom 5')); 0"
    found = await judged(page, script, {"console": ["boom #"]}, {"visible_change": True})
    assert found == ("failed", "the recorded console error was logged")
