"""Listens to one page: the host's own requests, console errors, uncaught exceptions. Everything it keeps
is bounded.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from workbench.scenario.model import RequestPattern
from workbench.scenario.shapes import path_matches, status_class

_MAX_SEEN = 2000


@dataclass
class Seen:
    """One request of the page to the host. `status` None while it is under way, 0 when no answer came."""

    method: str
    path: str
    started: float
    status: int | None = None
    ended: float | None = None
    redirected_to: Seen | None = None

    @property
    def final(self) -> Seen:
        seen = self
        while seen.redirected_to is not None:
            seen = seen.redirected_to
        return seen

    def matches(self, pattern: RequestPattern) -> bool:
        return self.method == pattern.method and path_matches(pattern.path, self.path)

    def answered_as(self, wanted: str | None) -> bool:
        """A fetch that followed redirects was recorded with the last status, a form post with the first."""
        if self.status is None:
            return False
        found = {status_class(each.status) for each in (self, self.final) if each.status is not None}
        return wanted is None or wanted in found


class Watch:
    """Attach before the first navigation. `changed` is set on every event, for waiting without polling."""

    def __init__(self, page: Any, base: str) -> None:
        self._origin = urlsplit(base).netloc
        self.requests: list[Seen] = []
        self.console: list[str] = []
        self.exceptions: list[str] = []
        self.changed = asyncio.Event()
        self._by_request: dict[Any, Seen] = {}
        page.on("request", self._on_request)
        page.on("response", self._on_response)
        page.on("requestfinished", self._on_finished)
        page.on("requestfailed", self._on_failed)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_exception)
        # Nobody is there to answer; the recording says nothing of dialogs, so they are accepted
        # like a hurried user would.
        page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))

    def since(self, mark: float) -> list[Seen]:
        return [seen for seen in self.requests if seen.started >= mark]

    def under_way(self, mark: float) -> list[Seen]:
        return [seen for seen in self.since(mark) if seen.ended is None]

    async def next_change(self, seconds: float) -> None:
        self.changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return

    def _on_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.netloc != self._origin or len(self.requests) >= _MAX_SEEN:
            return
        seen = Seen(method=request.method, path=parts.path or "/", started=time.monotonic())
        earlier = self._by_request.get(request.redirected_from) if request.redirected_from else None
        if earlier is not None:
            earlier.redirected_to = seen
        self._by_request[request] = seen
        self.requests.append(seen)
        self.changed.set()

    def _on_response(self, response: Any) -> None:
        seen = self._by_request.get(response.request)
        if seen is not None:
            seen.status = response.status
            self.changed.set()

    def _on_finished(self, request: Any) -> None:
        seen = self._by_request.get(request)
        if seen is not None:
            seen.ended = time.monotonic()
            self.changed.set()

    def _on_failed(self, request: Any) -> None:
        seen = self._by_request.get(request)
        if seen is not None:
            seen.ended = time.monotonic()
            seen.status = seen.status or 0
            self.changed.set()

    def _on_console(self, message: Any) -> None:
        source = urlsplit((message.location or {}).get("url") or "").netloc
        # Third parties are not reachable here; that they fail is the sandbox's doing and not the host's.
        if message.type == "error" and source in ("", self._origin) and len(self.console) < 200:
            self.console.append(message.text[:500])
            self.changed.set()

    def _on_exception(self, error: Any) -> None:
        if len(self.exceptions) < 200:
            name = getattr(error, "name", None) or "Error"
            self.exceptions.append(f"{name}: {getattr(error, 'message', str(error))}"[:500])
            self.changed.set()
