"""What a user would notice: a popup in time for what failed, silence for what worked."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .intake_standin import Intake

pytestmark = pytest.mark.browser

TITLE = "[data-part=title]"
PATIENT = {"silent_ms": 600_000}  # so long that only hard evidence can bring the popup


def popup_wait(page: Page) -> None:
    """Waits for the popup's own mark; how soon it comes is a figure of benchmarks/demo.py."""
    page.wait_for_function("performance.getEntriesByName('kriptik:popup').length > 0", timeout=20_000)


def open_page(page: Page, intake: Intake, body: str, **rest: str) -> None:
    page.goto(intake.page("app", body, **rest))
    intake.wait(lambda: intake.of("hello"))


def test_it_notices_a_button_that_does_nothing(page: Page, intake: Intake) -> None:
    open_page(page, intake, "<button id=go>Generate</button>")
    page.click("#go")
    popup_wait(page)
    expect(page.locator(TITLE)).to_have_text("Hey! We noticed “Generate” didn't respond")
    report = intake.wait_report("SILENT_FAILURE")
    assert report["reasons"] == ["no_visible_response"]
    assert report["element"]["fingerprint"] == "button#go"
    assert report["element"]["locators"][0] == {"by": "role", "role": "button", "name": "Generate"}
    assert [action["kind"] for action in report["actions"]] == ["navigate", "click"]
    assert report["action_id"] == report["actions"][-1]["id"]


def test_a_clock_that_ticks_does_not_revive_a_dead_button(page: Page, intake: Intake) -> None:
    clock = "<p id=clock>0</p><script>setInterval(() => clock.textContent = performance.now(), 200)</script>"
    open_page(page, intake, clock + "<button id=go>Generate</button>")
    page.wait_for_function("Number(clock.textContent) > 2500")  # the page has been seen ticking by itself
    page.click("#go")
    assert intake.wait_report("SILENT_FAILURE")["reasons"] == ["no_visible_response"]


def test_it_notices_a_failed_request_that_the_page_swallows(page: Page, intake: Intake) -> None:
    intake.config = PATIENT
    script = """<button id=go>Generate</button><script>
      go.onclick = async () => { try { const r = await fetch('/api/fails', {method: 'POST',
        headers: {'x-own': '1'}, body: JSON.stringify({prompt: 'secret words', n: 3})});
        if (!r.ok) throw 1 } catch {} }</script>"""
    open_page(page, intake, script)
    page.click("#go")
    popup_wait(page)
    report = intake.wait_report("SILENT_FAILURE")
    assert report["reasons"] == ["request_failed", "error_not_shown"]
    (request,) = report["requests"]
    assert (request["method"], request["path"], request["status"]) == ("POST", "/api/fails", 502)
    assert request["body_shape"] == "{prompt:str,n:num}"
    assert "provider overloaded" in request["response_excerpt"]
    path, headers = intake.requests[-1]
    assert path == "/api/fails"
    assert headers["x-own"] == "1"
    assert headers["x-kriptik-action"] == report["action_id"] == request["action_id"]
    assert headers["sentry-trace"].startswith(report["trace_id"])
    assert headers["baggage"] == f"sentry-trace_id={report['trace_id']}"


def test_it_notices_an_error_that_travels_as_a_success(page: Page, intake: Intake) -> None:
    open_page(page, intake, "<button id=go onclick=\"fetch('/api/error-in-200')\">Generate</button>")
    page.click("#go")
    assert intake.wait_report("SILENT_FAILURE")["reasons"][0] == "error_in_answer"


def test_an_old_style_request_is_seen_as_well(page: Page, intake: Intake) -> None:
    script = """<button id=go>Save</button><script>go.onclick = () => {
      const x = new XMLHttpRequest(); x.open('POST', '/api/fails'); x.send('a=1') }</script>"""
    open_page(page, intake, script)
    page.click("#go")
    report = intake.wait_report("SILENT_FAILURE")
    assert report["requests"][0]["status"] == 502
    assert intake.requests[-1][1]["x-kriptik-action"] == report["action_id"]


def test_it_notices_an_exception(page: Page, intake: Intake) -> None:
    intake.config = PATIENT
    body = "<button id=go onclick='nothing.here()'>Open</button>"
    open_page(page, intake, body)
    page.click("#go")
    popup_wait(page)
    report = intake.wait_report("ERROR")
    assert report["error"]["type"] == "ReferenceError"
    assert "uncaught_exception" in report["reasons"]
    assert report["element"]["name"] == "Open"


def test_it_notices_an_exception_that_the_page_only_prints(page: Page, intake: Intake) -> None:
    body = """<button id=go>Save</button><script>
      go.onclick = () => { try { nothing.here() } catch (e) { console.error('save', e) } }</script>"""
    open_page(page, intake, body)
    page.click("#go")
    report = intake.wait_report("SILENT_FAILURE")
    assert report["reasons"][0] == "exception_swallowed"
    assert report["console"][-1]["text"].startswith("save ReferenceError")


def test_it_notices_an_answer_that_does_not_come(page: Page, intake: Intake) -> None:
    intake.config = {"slow_ms": 800}
    open_page(page, intake, "<button id=go onclick=\"fetch('/api/slow?s=3')\">Search</button>")
    page.click("#go")
    assert intake.wait_report("SLOW_RESPONSE")["reasons"] == ["request_pending"]


def test_money_makes_it_a_billing_issue(page: Page, intake: Intake) -> None:
    open_page(page, intake, "<div data-kriptik-area=billing><button id=go>Buy credits</button></div>")
    page.click("#go")
    assert intake.wait_report("BILLING_ISSUE")["reasons"] == ["no_visible_response"]


def test_it_notices_a_number_that_differs_from_the_servers(page: Page, intake: Intake) -> None:
    balance = (
        '<span id=credits data-kriptik-expect="credits" data-kriptik-expect-url="/api/credits"'
        ' data-kriptik-expect-path="ledger" data-kriptik-expect-ms="500">50 credits</span>'
    )
    open_page(page, intake, balance)
    report = intake.wait_report("DATA_INCONSISTENCY")
    assert report["expectation"] == {"name": "credits", "shown": "50 credits", "expected": "150"}
    expect(page.locator(TITLE)).to_contain_text("looks off")


HEALTHY = {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("healthy").glob("*.html"))}


def test_healthy_controls_are_left_alone(page: Page, intake: Intake) -> None:
    """All at once, a tab each: the limit, after which silence means something, is waited for once."""
    intake.config = {"silent_ms": 2200}
    tabs = []
    for name, body in HEALTHY.items():
        tabs.append(page.context.new_page())
        tabs[-1].goto(intake.page(name, body))
    intake.wait(lambda: len(intake.of("hello")) == len(HEALTHY))
    for tab in tabs:
        tab.click("#go", force=True, no_wait_after=True)
    page.wait_for_timeout(2600)
    # Asked of the intake, because a page that is being left answers no questions.
    assert [(report["page"], report["reasons"]) for report in intake.reports()] == []


def test_what_works_is_told_once_as_an_outcome(page: Page, intake: Intake) -> None:
    body = """<button id=go>Generate</button><div id=out></div><script>go.onclick = async () => {
      await fetch('/api/build', {method: 'POST'});
      out.insertAdjacentHTML('beforeend', '<h2 data-testid=preview>Preview</h2>') }</script>"""
    open_page(page, intake, body)
    page.click("#go")
    outcome = intake.wait(lambda: intake.of("outcome"))[0]["outcome"]
    assert outcome["element"]["name"] == "Generate"
    assert outcome["requests"] == [{"method": "POST", "path": "/api/build", "status": 200}]
    assert outcome["appeared"] == [{"by": "testid", "value": "preview"}]
    assert intake.reports() == []
