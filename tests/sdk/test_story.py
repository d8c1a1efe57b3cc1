"""From the popup to the rating, and everything the network does to it on the way."""

import base64
import gzip
import hashlib
import json
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .intake_standin import Intake

pytestmark = pytest.mark.browser

DEAD = "<button id=go>Generate</button>"
TITLE, PANEL, CHIP = "[data-part=title]", "[data-part=panel]", "[data-part=chip]"


def state(intake: Intake, version: int, stage: str, title: str, **rest: Any) -> dict[str, Any]:
    return {
        "type": "incident",
        "incident": intake.incident,
        "version": version,
        "stage": stage,
        "kind": "SILENT_FAILURE",
        "title": title,
        "body": "Body with **weight**.",
        "progress": None,
        "question": None,
        "actions": ["tell_more", "not_now"],
        "ask_rating": False,
        "at": int(time.time() * 1000),
        **rest,
    }


def fail_once(page: Page, intake: Intake, body: str = DEAD, **rest: Any) -> None:
    intake.config = {"silent_ms": 300}
    page.goto(intake.page("app", body, **rest))
    intake.wait(lambda: intake.of("hello"))
    page.click("#go")
    page.locator(PANEL).wait_for()
    intake.wait(intake.reports)


def test_the_server_takes_over_the_panel_of_its_own_report(page: Page, intake: Intake) -> None:
    fail_once(page, intake)
    intake.push(state(intake, 2, "diagnosing", "We are looking", progress=0.25))
    expect(page.locator(TITLE)).to_have_text("We are looking")
    expect(page.locator("[data-part=body] strong")).to_have_text("weight")
    expect(page.locator("[data-part=progress]")).to_have_attribute("aria-valuenow", "25")
    intake.push(state(intake, 5, "verifying", "Checking it"))
    intake.push(state(intake, 4, "fixing", "Too old to be shown"))
    expect(page.locator(TITLE)).to_have_text("Checking it")
    assert page.locator(PANEL).count() == 1


def test_words_of_the_server_are_text_never_markup(page: Page, intake: Intake) -> None:
    fail_once(page, intake)
    evil = "<img src=x onerror=alert(1)> [x](javascript:alert(1))"
    intake.push(state(intake, 2, "diagnosing", evil, body=evil))
    expect(page.locator(TITLE)).to_have_text(evil)
    assert page.locator("[data-part=body] img, [data-part=body] a").count() == 0


def test_a_question_is_answered_with_one_click(page: Page, intake: Intake) -> None:
    fail_once(page, intake)
    choices = [{"id": "yes", "label": "Yes, please"}, {"id": "no", "label": "No"}]
    question = {"id": "q1", "text": "May we renew your session?", "choices": choices, "free_text": False}
    intake.push(state(intake, 2, "needs_input", "One question", question=question))
    page.click("[data-part=answer-yes]")
    answer = intake.wait(lambda: intake.of("answer"))[0]
    assert (answer["incident"], answer["question"], answer["choice"]) == (intake.incident, "q1", "yes")
    expect(page.locator(CHIP)).to_be_visible()


def test_fixed_is_tried_and_rated(page: Page, intake: Intake) -> None:
    fail_once(page, intake)
    release = {"cookie": "kriptik_release", "token": "tok-1234567890abcdef"}
    fixed = state(intake, 9, "resolved", "Fixed!", actions=["try_again"], ask_rating=True, release=release)
    intake.push(fixed)
    expect(page.locator(TITLE)).to_have_text("Fixed!")
    assert "kriptik_release=tok-1234567890abcdef" in page.evaluate("document.cookie")
    intake.snapshot = [fixed]
    with page.expect_navigation():
        page.click("[data-part=try-again]")
    assert intake.wait(lambda: intake.of("try_again"))[0]["incident"] == intake.incident
    page.click(CHIP)
    page.click("[data-part=star-4]")
    assert intake.wait(lambda: intake.of("rating"))[0]["stars"] == 4
    page.click("[data-part=close]")
    expect(page.locator(PANEL)).to_have_count(0)
    intake.push({**fixed, "version": 10, "ask_rating": False, "release": None})
    page.wait_for_function("!document.cookie.includes('kriptik_release')")
    assert page.locator(f"{PANEL},{CHIP}").count() == 0


def test_news_that_were_put_away_stay_away_on_every_device(page: Page, intake: Intake) -> None:
    fail_once(page, intake)
    release = {"cookie": "kriptik_release", "token": "tok-1234567890abcdef"}
    fixed = state(intake, 9, "resolved", "Fixed!", release=release)
    intake.push(fixed)
    expect(page.locator(TITLE)).to_have_text("Fixed!")
    page.click("[data-part=close]")
    assert intake.wait(lambda: intake.of("seen"))[0]["version"] == 9

    page.evaluate("sessionStorage.clear()")  # another device knows nothing of this one's
    intake.snapshot = [{**fixed, "seen": True}]
    page.context.clear_cookies()
    page.reload()
    page.wait_for_function("document.cookie.includes('kriptik_release')")
    assert page.locator(f"{PANEL},{CHIP}").count() == 0


def test_a_similar_user_gets_the_release_and_is_told_nothing(page: Page, intake: Intake) -> None:
    release = {"cookie": "kriptik_release", "token": "tok-1234567890abcdef"}
    intake.snapshot = [state(intake, 1, "resolved", "Improved", body="", release=release)]
    page.goto(intake.page("app", DEAD))
    page.wait_for_function("document.cookie.includes('kriptik_release')")
    assert page.locator(f"{PANEL},{CHIP}").count() == 0


def test_another_incident_does_not_take_the_release_away(page: Page, intake: Intake) -> None:
    release = {"cookie": "kriptik_release", "token": "tok-1234567890abcdef"}
    intake.snapshot = [
        state(intake, 3, "fixing", "A", release=release),
        {**state(intake, 4, "diagnosing", "B", release=None), "incident": "inc_bbbb"},
    ]
    page.goto(intake.page("app", DEAD))
    page.locator(CHIP).wait_for()
    assert "kriptik_release=tok-1234567890abcdef" in page.evaluate("document.cookie")


def test_a_host_cookie_cannot_be_named_as_the_release(page: Page, intake: Intake) -> None:
    page.goto(intake.page("app", DEAD))
    intake.wait(lambda: intake.of("hello"))
    intake.push(state(intake, 2, "fixing", "A", release={"cookie": "session", "token": "x" * 16}))
    page.locator(CHIP).wait_for()
    assert page.evaluate("document.cookie") == ""


def test_help_sends_what_the_user_typed(page: Page, intake: Intake) -> None:
    page.goto(intake.page("app", "<input id=first>"))
    page.focus("#first")
    page.click("[data-part=help]")
    page.fill("[data-part=input]", "My app is gone")
    page.click("[data-part=send]")
    report = intake.wait_report("USER_REPORTED")
    assert (report["text"], report["reasons"]) == ("My app is gone", ["help_clicked"])
    expect(page.locator(TITLE)).to_have_text("Thank you for telling us")


def test_the_panel_works_by_keyboard_and_gives_focus_back(page: Page, intake: Intake) -> None:
    page.goto(intake.page("app", "<input id=first>"))
    page.locator("[data-part=help]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=input]")).to_be_focused()
    assert page.locator(PANEL).get_attribute("role") == "dialog"
    page.keyboard.press("Escape")
    expect(page.locator(PANEL)).to_have_count(0)
    expect(page.locator("[data-part=help]")).to_be_focused()


def test_the_recording_follows_its_report_masked(page: Page, intake: Intake) -> None:
    body = (
        DEAD + "<p>Very private words</p><p data-kriptik-unmask>Public words</p><input value='typed secret'>"
    )
    intake.config = {"silent_ms": 300}
    page.goto(intake.page("app", body))
    intake.wait(lambda: intake.of("hello"))
    page.mouse.click(400, 400)
    page.wait_for_function("performance.getEntriesByType('resource').some(r => r.name.includes('recorder'))")
    page.click("#go")
    chunk = intake.wait(lambda: intake.of("chunk"))[-1]
    assert chunk["client_event_id"] == intake.reports()[0]["client_event_id"]
    packed = base64.b64decode(chunk["data"])
    assert hashlib.sha256(packed).hexdigest() == chunk["sha256"]
    assert chunk["last"] is True
    text = gzip.decompress(packed).decode()
    assert {event["type"] for event in json.loads(text)} >= {2, 4}
    assert "Public words" in text
    assert "private" not in text
    assert "secret" not in text
    assert "kriptik-overlay" not in text or "We noticed" not in text


def test_a_report_survives_a_dropped_socket(page: Page, intake: Intake) -> None:
    intake.acknowledge = False
    fail_once(page, intake)
    first = intake.reports()[0]["client_event_id"]
    intake.acknowledge = True
    intake.drop_sockets()
    intake.wait(lambda: [r["client_event_id"] for r in intake.reports()].count(first) == 2)
    assert intake.of("hello")[-1]["session"] == "capability-1"


def test_without_sockets_reports_go_over_http(page: Page, intake: Intake) -> None:
    intake.socket_open = False
    intake.config = {"silent_ms": 300}
    page.goto(intake.page("app", DEAD))
    page.click("#go")
    intake.wait(lambda: [frame for frame in intake.beacons if frame["type"] == "report"])


def test_leaving_the_page_takes_the_report_along(page: Page, intake: Intake) -> None:
    intake.acknowledge = False
    fail_once(page, intake)
    page.goto("about:blank")
    intake.wait(lambda: [f for f in intake.beacons if f["type"] == "report"])


def test_the_hello_carries_the_hosts_identity(page: Page, intake: Intake) -> None:
    intake.user = "alice"
    page.goto(intake.page("app", DEAD, tag='data-identity="/__kriptik__/identity"'))
    assert intake.wait(lambda: intake.of("hello"))[0]["identity"] == "e30.e30.alice"


def test_a_journey_over_two_pages_is_told_whole(page: Page, intake: Intake) -> None:
    intake.config = {"silent_ms": 300}
    intake.page("second", DEAD)
    form = (
        "<label>Name<input id=n data-testid=name></label><input id=p type=password>"
        "<span data-kriptik-unmask><input id=open></span><a id=next href='/p/second'>Next</a>"
    )
    page.goto(intake.page("first", form))
    page.fill("#n", "")
    page.type("#n", "Anna 42")
    page.type("#p", "hunter2")
    page.type("#open", "plain")
    page.click("#next")
    page.click("#go")
    actions = intake.wait_report("SILENT_FAILURE")["actions"]
    assert [a["kind"] for a in actions] == ["navigate", "fill", "fill", "fill", "click", "click"]
    name, password, plain, link, _ = actions[1:]
    assert (name["value"], name["shape"]) == (None, "Aaaa 99")
    assert name["element"]["locators"][0] == {"by": "testid", "value": "name"}
    assert (password["value"], password["shape"]) == (None, "********")
    assert plain["value"] == "plain"
    assert link["after"]["navigated"] == "/p/second"
    assert len({a["id"] for a in actions}) == len(actions)


def test_being_thrown_out_after_a_login_is_noticed(page: Page, intake: Intake) -> None:
    login = (
        "<form action='/p/out'><input name=u><input type=password name=p><button id=in>Log in</button></form>"
    )
    intake.page("out", "<p role=alert>Your session has expired. Please log in again.</p>" + login)
    page.goto(intake.page("login", login))
    page.fill("[name=p]", "x")
    page.click("#in")
    report = intake.wait_report("AUTH_ISSUE")
    assert report["reasons"] == ["login_then_expired"]
    assert [a["kind"] for a in report["actions"]] == ["navigate", "fill", "click"]
    expect(page.locator(TITLE)).to_contain_text("signed out")


def test_a_wrong_password_is_no_issue(page: Page, intake: Intake) -> None:
    login = (
        "<form action='/p/out'><input name=u><input type=password name=p><button id=in>Log in</button></form>"
    )
    intake.page("out", "<p role=alert>Wrong e-mail or password.</p>" + login)
    page.goto(intake.page("login", login))
    page.fill("[name=p]", "x")
    page.click("#in")
    page.wait_for_url("**/p/out**")
    intake.wait(lambda: len(intake.of("hello")) == 2)
    page.wait_for_function("performance.now() > 1000")
    assert intake.reports() == []


def test_shadow_mode_reports_and_shows_nothing(page: Page, intake: Intake) -> None:
    intake.config = {"silent_ms": 300, "shadow": True}
    page.goto(intake.page("app", DEAD))
    intake.wait(lambda: intake.of("hello"))
    page.click("#go")
    intake.wait_report("SILENT_FAILURE")
    intake.push(state(intake, 2, "diagnosing", "Hidden"))
    assert page.locator(f"{PANEL},{CHIP}").count() == 0


def test_a_page_that_paints_itself_anew_still_gets_its_popup(page: Page, intake: Intake) -> None:
    intake.config = {"silent_ms": 300}
    page.goto(intake.page("app", "<p>Old</p>"))
    intake.wait(lambda: intake.of("hello"))
    page.evaluate("document.body.innerHTML = '<button id=go>Generate</button>'")
    assert page.locator("kriptik-overlay").count() == 0
    page.click("#go")
    expect(page.locator(TITLE)).to_contain_text("Generate")


def test_stop_puts_everything_back(page: Page, intake: Intake) -> None:
    keep = (
        "window.was = [fetch, history.pushState, XMLHttpRequest.prototype.open, console.error, window.open]"
    )
    page.goto(intake.page("app", DEAD, head=f"<script>{keep}</script>"))
    intake.wait(lambda: intake.of("hello"))
    now = "[fetch, history.pushState, XMLHttpRequest.prototype.open, console.error, window.open]"
    same = f"{now}.map((f, i) => f === was[i])"
    assert page.evaluate(same) == [False] * 5
    assert page.evaluate("String(fetch)") == "function fetch() { [native code] }"
    page.evaluate("Kriptik.stop()")
    assert page.evaluate(same) == [True] * 5
    assert page.locator("kriptik-overlay").count() == 0


def test_the_page_gets_the_same_answers_and_errors(page: Page, intake: Intake) -> None:
    page.goto(intake.page("app", DEAD))
    intake.wait(lambda: intake.of("hello"))
    page.evaluate(
        "void (window.lost = new Promise(r => addEventListener('unhandledrejection', e => r(e.reason.name))))"
    )
    assert page.evaluate("fetch('/api/ok').then(r => r.json())") == {"ok": True}
    assert page.evaluate("fetch('http://127.0.0.1:1/').catch(e => e.constructor.name)") == "TypeError"
    page.evaluate("void fetch('http://127.0.0.1:1/')")
    assert page.evaluate("lost") == "TypeError"


def test_a_strict_content_security_policy_is_kept(page: Page, intake: Intake) -> None:
    scripts = "script-src 'nonce-abc' 'strict-dynamic'; style-src 'nonce-abc'"
    policy = f"default-src 'none'; {scripts}; connect-src 'self' ws:"
    tag = f'<meta http-equiv="content-security-policy" content="{policy}">'
    violations: list[str] = []
    page.on(
        "console",
        lambda message: violations.append(message.text) if "Content Security" in message.text else None,
    )
    fail_once(page, intake, head=tag, tag="nonce=abc")
    assert page.locator(PANEL).evaluate("e => getComputedStyle(e).borderTopLeftRadius") == "26px"
    assert violations == []
