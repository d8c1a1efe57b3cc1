"""One user in one headless Chromium, with everything that the overlay said to them."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
from playwright.sync_api import Page, TimeoutError, sync_playwright

from kriptik_ops.stories.timeline import Words

POLL_S = 0.05
# Tells Python what the user could read, as it changes, and when the popup was painted; survives navigations
# because Playwright runs it in every new document before the page's own scripts.
WATCH = """
(() => {
  const part = (root, name) => root.querySelector(`[data-part="${name}"]`);
  let last = "";
  const look = () => {
    const root = document.querySelector("kriptik-overlay")?.shadowRoot;
    const panel = root && (part(root, "panel") || part(root, "chip"));
    if (!panel || !panel.checkVisibility()) return;
    const title = part(root, "title")?.innerText ?? panel.innerText;
    const body = part(root, "body")?.innerText ?? "";
    const stage = part(root, "stage")?.dataset.stage ?? "";
    const key = JSON.stringify([stage, title, body]);
    if (key === last) return;
    last = key;
    window.storySaw({at: Date.now(), stage, title, body});
  };
  setInterval(look, 50);
  const ours = (event) => event.composedPath().some((node) => node.localName === "kriptik-overlay");
  addEventListener("click", (event) => {
    if (event.isTrusted && !ours(event)) window.storyMarked({at: Date.now(), what: "click"});
  }, true);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if (entry.name === "kriptik:popup")
        window.storyMarked({at: Math.round(performance.timeOrigin + entry.startTime), what: "popup"});
  }).observe({type: "mark", buffered: true});
})();
"""


class StoryFailed(Exception):
    """The story can't go on; the message says what did not happen."""


class Visitor:
    """A user at the host: the page, and what it told them. Times are epoch ms."""

    def __init__(self, page: Page):
        self.page = page
        self.saw: list[dict[str, Any]] = []
        self.marks: list[dict[str, Any]] = []
        page.expose_binding("storySaw", lambda _, seen: self.saw.append(seen))
        page.expose_binding("storyMarked", lambda _, mark: self.marks.append(mark))
        page.add_init_script(WATCH)

    def wait_for(self, what: str, fact: Callable[[], Any], seconds: float) -> Any:
        """The fact's value once it is true; raises StoryFailed after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            value = fact()
            if value:
                return value
            if time.monotonic() > deadline:
                raise StoryFailed(f"{what} did not happen within {seconds:.0f} s.")
            self.page.wait_for_timeout(POLL_S * 1000)  # lets the browser's messages in meanwhile

    def wait_for_or_go_on(self, fact: Callable[[], bool], seconds: float) -> None:
        """Waits for the fact, at most so long; nothing is wrong when it does not come."""
        with contextlib.suppress(StoryFailed):
            self.wait_for("It", fact, seconds)

    def wait_for_stage(self, *stages: str, seconds: float) -> dict[str, Any]:
        """Waits until the overlay shows one of these stages; raises StoryFailed."""
        found: dict[str, Any] = self.wait_for(
            f"The overlay's “{' or '.join(stages)}”",
            lambda: next((s for s in reversed(self.saw) if s["stage"] in stages), None),
            seconds,
        )
        return found

    def wait_for_popup(self, seconds: float) -> int:
        """When the popup was painted, in epoch ms."""
        found: int = self.wait_for(
            "The popup", lambda: next((m["at"] for m in self.marks if m["what"] == "popup"), None), seconds
        )
        return found

    def press(self, part: str) -> None:
        """Clicks a part of the overlay."""
        try:
            self.page.locator(f'kriptik-overlay [data-part="{part}"]').click(timeout=5000)
        except TimeoutError:
            raise StoryFailed(f"The overlay offers no “{part}”.") from None

    def identity(self) -> str:
        """The user's id, as the host vouches for it."""
        token = str(self.page.request.get("/__kriptik__/identity").json()["token"])
        return str(jwt.decode(token, options={"verify_signature": False})["sub"])

    def close_overlay(self) -> None:
        """What a user does who has read the news and wants to go on."""
        close = self.page.locator('kriptik-overlay [data-part="close"]')
        if close.is_visible():
            close.click()

    def words(self, since: int) -> list[Words]:
        return [Words(s["at"] - since, s["stage"], s["title"], s["body"]) for s in self.saw]


@contextlib.contextmanager
def visitor(base_url: str) -> Iterator[Visitor]:
    """A new browser with a new user in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--no-first-run", "--disable-sync"],
        )
        try:
            context = browser.new_context(base_url=base_url, viewport={"width": 1280, "height": 800})
            context.set_default_timeout(15_000)
            yield Visitor(context.new_page())
        finally:
            browser.close()
