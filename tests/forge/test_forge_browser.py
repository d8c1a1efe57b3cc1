"""A person uses Forge in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from .conftest import Forge, other_tenants

pytestmark = pytest.mark.browser
# Facts are waited for; on a busy machine they may take longer than Playwright's five seconds.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, forge: Forge) -> Iterator[Page]:
    """A fresh browser profile; a page that logs an error or throws fails its test."""
    context = chromium.new_context(base_url=forge.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert problems == []


def log_in(page: Page, name: str) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(f"{name}@forge.example")
    page.get_by_label("Password").fill(f"{name}-builds-apps")
    page.get_by_test_id("login-submit").click()


def test_a_newcomer_signs_up_builds_an_app_looks_at_it_and_buys_credits(page: Page):
    page.goto("/")
    page.get_by_test_id("hero-signup").click()
    page.get_by_label("Name").fill("Dora")
    page.get_by_label("E-mail").fill("dora@forge.example")
    page.get_by_label("Password").fill("dora-builds")
    page.get_by_test_id("signup-submit").click()
    expect(page.get_by_test_id("balance")).to_have_text("50")

    page.get_by_label("Describe your app").fill("A sales dashboard for a bicycle shop")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_test_id("build-step").first).to_contain_text("Reading your description")
    expect(page.get_by_test_id("build-step")).to_have_count(5)
    preview = page.frame_locator('[data-testid="preview"]')
    expect(preview.get_by_role("heading", name="Sales Dashboard")).to_be_visible()
    expect(preview.locator("header")).to_have_css("color", "rgb(255, 255, 255)")
    expect(page.get_by_test_id("balance")).to_have_text("49")
    expect(page.get_by_test_id("recent-build").first).to_contain_text("Sales Dashboard")

    page.get_by_test_id("nav-credits").click()
    page.get_by_test_id("buy-100").click()
    expect(page.get_by_test_id("purchase-done")).to_contain_text("100 credits")
    expect(page.get_by_test_id("ledger")).to_contain_text("+100")


def test_a_press_on_a_page_whose_scripts_are_still_on_their_way_is_not_lost(page: Page):
    held: list[Route] = []
    page.route("**/static/js/studio.js", lambda route: held.append(route))
    log_in(page, "ben")
    expect(page.get_by_test_id("generate")).to_be_disabled()
    expect(page.get_by_test_id("recent-build").first).to_be_disabled()
    held.pop().continue_()
    page.get_by_test_id("recent-build").first.click()
    expect(page.get_by_test_id("preview")).to_be_visible()


def test_an_earlier_build_opens_again(page: Page):
    log_in(page, "ben")
    page.get_by_test_id("recent-build").filter(has_text="Recipe Box").click()
    heading = page.frame_locator('[data-testid="preview"]').get_by_role("heading", name="Recipe Box")
    expect(heading).to_be_visible()


def test_pressing_twice_builds_once(page: Page):
    log_in(page, "ben")
    builds = page.get_by_test_id("recent-build")
    before = builds.count()
    page.get_by_test_id("prompt").fill("A reading list")
    page.get_by_test_id("generate").dblclick()
    expect(builds).to_have_count(before + 1)
    page.reload()
    expect(builds).to_have_count(before + 1)


def test_a_build_that_is_gone_says_so(page: Page):
    log_in(page, "ben")
    build = page.get_by_test_id("recent-build").first
    build.evaluate("button => (button.dataset.build = 'b_gone')")
    build.click()
    expect(page.get_by_text("This build can't be shown: There is no such build.")).to_be_visible()


def test_the_credits_page_declares_what_its_balance_must_equal(page: Page):
    log_in(page, "ada")
    page.goto("/credits")
    balance = page.locator('[data-kriptik-expect="credits"]')
    source = page.request.get(balance.get_attribute("data-kriptik-expect-url") or "").json()
    assert str(source[balance.get_attribute("data-kriptik-expect-path")]) == balance.inner_text()


def test_in_a_burst_generate_seems_to_do_nothing(page: Page, forge: Forge):
    log_in(page, "ada")
    page.get_by_test_id("prompt").fill("A habit tracker")
    before = page.locator("main").inner_text()
    other_tenants(forge, seconds=10)
    with page.expect_response("**/api/generate") as answer:
        page.get_by_test_id("generate").click()
    assert answer.value.status == 502
    expect(page.get_by_test_id("build-steps")).to_be_hidden()
    expect(page.get_by_test_id("preview")).to_be_hidden()
    assert page.locator("main").inner_text() == before
