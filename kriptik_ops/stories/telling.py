"""Tells one story: drives the browser in a thread of its own, watches the rows, and judges the end."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Event

from playwright.sync_api import Error as BrowserError

from core import clock
from incidents.models import Host, Outcome
from kriptik_ops.stories import facts
from kriptik_ops.stories.browser import StoryFailed, Visitor, visitor
from kriptik_ops.stories.forge import Services, Story, build_an_app, sign_up
from kriptik_ops.stories.timeline import Fact, Timeline

NEIGHBOUR_S = 60
LOOK_S = 5
SETTLE_S = 240  # after the user is content: the rest of the rollout, and the lesson
POLL_S = 0.2
WORKS = {"healed": "works", "rolled_back": "on stable again"}
POPUP_S = 10


class Teller:
    """Everything the stories share."""

    def __init__(self, host: Host, services: Services, say: Callable[[str], None]):
        self.host, self.services, self.say = host, services, say

    def healthy_neighbour(self) -> None:
        """Somebody for whom all goes well: what a right outcome looks like is learned from others."""
        heard = Event()
        with ThreadPoolExecutor(1) as pool:
            visit = pool.submit(self._neighbour, heard)
            try:
                _wait(self._has_outcome, NEIGHBOUR_S, "The healthy session's report")
            finally:
                heard.set()
            visit.result()

    def _has_outcome(self) -> bool:
        return Outcome.objects.filter(host=self.host).exists()

    def _neighbour(self, heard: Event) -> None:
        """Samples of what went well are not resent, and one element is sampled once a page: so she looks
        at her result for a while, and builds another in a new page when nothing of it arrived.
        """
        with visitor(self.host.base_url) as emma:
            sign_up(emma.page, "emma")
            while not heard.is_set():
                emma.page.goto("/studio")
                build_an_app(emma, "A recipe box for quick weekday dinners")
                emma.wait_for_or_go_on(heard.is_set, LOOK_S)

    def tell(self, story: Story) -> Timeline:
        """One story from the user's action to the lesson learned; never raises for an unhappy end."""
        timeline = Timeline(story.scenario, story.title)
        begun = clock.now()
        # Playwright's synchronous API owns its thread's event loop; the ORM must stay in this one.
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(self._drive, story, timeline)
            since = self._watch(story, timeline, future, begun)
        incident = facts.incident_of(self.host, timeline.user, begun)
        if incident:
            facts.tell(timeline, incident, since)
        self._judge(story, timeline)
        return timeline

    def _drive(self, story: Story, timeline: Timeline) -> int | None:
        with visitor(self.host.base_url) as user:
            at = None
            try:
                at = story.trouble(user, self.services)
                timeline.user = user.identity()
                if at is None:
                    timeline.outcome, timeline.remedy = "healed", {"kind": "healed_before"}
                    return None
                _mark(timeline, at, user)
                story.ending(user, self.services)
                timeline.facts.append(
                    Fact(clock.now_ms() - at, "browser", WORKS[story.expects], "the user's own end")
                )
            except (StoryFailed, BrowserError, AssertionError) as error:
                timeline.reason = str(error).splitlines()[0]
            if at is not None:
                timeline.words = user.words(at)
            return at

    def _watch(
        self, story: Story, timeline: Timeline, future: "Future[int | None]", begun: datetime
    ) -> datetime:
        """Waits for the user's end, then for the run's; returns the moment of the user's action."""
        at = future.result()
        if at is None or timeline.reason:
            return begun if at is None else clock.from_ms(at)
        since = clock.from_ms(at)

        def over() -> bool:
            incident = facts.incident_of(self.host, timeline.user, begun)
            return incident is not None and facts.is_over(facts.run_of(incident))

        try:
            _wait(over, SETTLE_S, "The run's end")
        except StoryFailed as error:
            timeline.reason = str(error)
        return since

    def _judge(self, story: Story, timeline: Timeline) -> None:
        if timeline.outcome == "healed" or timeline.reason:
            return
        if story.expects == "rolled_back":
            back = timeline.first("run", "rolled_back") is not None
            timeline.outcome = "rolled_back" if back else "not_healed"
            return
        phases = {move["phase"] for move in timeline.rollout}
        if timeline.first("run", "settled") is None:
            timeline.reason = "The heal run did not settle."
        elif timeline.remedy.get("kind") == "code" and "full" not in phases:
            timeline.reason = "The fix did not reach everyone."
        else:
            timeline.outcome = "healed"


def _mark(timeline: Timeline, at: int, user: Visitor) -> None:
    timeline.facts.append(Fact(0, "browser", "action"))
    popup = user.wait_for_popup(POPUP_S)
    timeline.facts.append(Fact(popup - at, "browser", "popup", "the user is told"))


def _wait(fact: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise StoryFailed(f"{what} did not come within {seconds:.0f} s.")
        time.sleep(POLL_S)
