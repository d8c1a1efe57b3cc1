"""The SDK's socket: a thin pipe between a browser, the intake and the user's feed.

Order matters: join the group first, then send the snapshot, then forward, so that no change falls between
the snapshot and the first wake-up. docs/protocol.md has the frames and the close codes.
"""

import asyncio
import json
import time
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from incidents.intake import Visit, error_frame, frame_take, visit_open
from incidents.limits import (
    BAD_FRAMES,
    FAST_FRAMES,
    HELLO_S,
    OPEN_SOCKETS,
    SOCKETS_PER_ADDRESS,
    SOCKETS_PER_SESSION,
    SocketMeter,
)
from incidents.strict_json import JsonRefused, strict_loads
from incidents.wire import FRAME_BYTES, FrameRefused, Hello, frame_parse
from notifications.feed import feed_entry, group_name
from notifications.messages import ErrorFrame, IncidentState, Message, Snapshot

CLOSE_BAD_FRAME = 4400
CLOSE_BAD_KEY = 4401
CLOSE_BAD_ORIGIN = 4403
CLOSE_NO_HELLO = 4408
CLOSE_TOO_LARGE = 4413
CLOSE_RATE_LIMITED = 4429
CLOSE_CODES = {
    "bad_key": CLOSE_BAD_KEY,
    "bad_origin": CLOSE_BAD_ORIGIN,
    "rate_limited": CLOSE_RATE_LIMITED,
    "too_large": CLOSE_TOO_LARGE,
}
CALM_S = 1.5  # between two messages about one incident: faster than that nobody reads


class SdkConsumer(AsyncWebsocketConsumer):
    """One socket of one tab."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.visit: Visit | None = None
        self.group = ""
        self.entered: list[str] = []
        self.meter = SocketMeter()
        self.bad_frames = self.fast_frames = 0
        self.shown: dict[str, tuple[int, float]] = {}  # topic -> version, when
        self.waiting: dict[str, asyncio.Task[None]] = {}
        self.hello_timer: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Not in disconnect(): that is skipped when the broker fails under us, and a visitor who reconnects
        # would soon count as having too many tabs.
        try:
            await super().__call__(scope, receive, send)
        finally:
            for task in [*self.waiting.values(), self.hello_timer]:
                if task is not None:
                    task.cancel()
            for key in self.entered:
                OPEN_SOCKETS.leave(key)

    async def connect(self) -> None:
        self.address = str((self.scope.get("client") or ("unknown",))[0])
        # Accepted before it is judged: a socket that is refused while opening shows the page no code.
        await self.accept()
        if not self._enter(f"address:{self.address}", SOCKETS_PER_ADDRESS):
            await self.close(CLOSE_RATE_LIMITED)
            return
        self.hello_timer = asyncio.create_task(self._await_hello())

    async def disconnect(self, code: int) -> None:
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None:
            await self._refuse(FrameRefused("invalid_frame", "Frames are text."), CLOSE_BAD_FRAME)
            return
        size = len(text_data.encode("utf-8", "replace"))
        if size > FRAME_BYTES:
            refusal = FrameRefused("too_large", "A frame is at most 512 KiB.")
            await self._refuse(refusal, CLOSE_TOO_LARGE)
            return
        wait = self.meter.take(size)
        if wait:
            refusal = FrameRefused("rate_limited", "Too fast for one socket.", retry_after=wait)
            self.fast_frames += 1
            await self._refuse(refusal, CLOSE_RATE_LIMITED if self.fast_frames >= FAST_FRAMES else None)
            return
        try:
            value = strict_loads(text_data)
        except JsonRefused as error:
            await self._refuse(FrameRefused("bad_json", str(error)), self._close_after_bad())
            return
        if self.visit is None:
            await self._hello(value)
        else:
            await self._frame(self.visit, value)

    # --- The first frame ---------------------------------------------------------------------------------

    async def _await_hello(self) -> None:
        await asyncio.sleep(HELLO_S)
        await self.close(CLOSE_NO_HELLO)

    async def _hello(self, value: Any) -> None:
        try:
            hello = frame_parse(value)
            if not isinstance(hello, Hello):
                raise FrameRefused("invalid_frame", "The first frame is a hello.")
            visit, said = await database_sync_to_async(visit_open)(
                hello, origin=self._origin(), address=self.address
            )
        except FrameRefused as refusal:
            await self._refuse(refusal, CLOSE_CODES.get(refusal.code, CLOSE_BAD_FRAME))
            return
        if self.hello_timer:
            self.hello_timer.cancel()
        if not self._enter(f"session:{visit.session.pk}", SOCKETS_PER_SESSION):
            too_many = FrameRefused("rate_limited", "Too many open tabs.", retry_after=60)
            await self._refuse(too_many, CLOSE_RATE_LIMITED)
            return
        self.visit = visit
        await self._join(visit)
        await self._say(visit.welcome())
        for message in said:
            await self._say(message)
        await self._say(await database_sync_to_async(visit.snapshot)())

    async def _join(self, visit: Visit) -> None:
        """Follows the visit's subject; it changes when the visitor logs in."""
        group = group_name(visit.session.subject)
        if group == self.group:
            return
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)
        self.group = group
        self.shown.clear()
        await self.channel_layer.group_add(group, self.channel_name)

    # --- Frames ------------------------------------------------------------------------------------------

    async def _frame(self, visit: Visit, value: Any) -> None:
        subject = visit.session.subject
        answers = await database_sync_to_async(frame_take)(visit, value)
        if visit.session.subject != subject:
            await self._join(visit)
            # Joined now: what changed between the identify and the join is in this newer snapshot.
            answers = [a for a in answers if not isinstance(a, Snapshot)]
            answers.append(await database_sync_to_async(visit.snapshot)())
        for answer in answers:
            await self._say(answer)
        if any(isinstance(a, ErrorFrame) and a.code in {"unknown_type", "invalid_frame"} for a in answers):
            self.bad_frames += 1
            if self.bad_frames >= BAD_FRAMES:
                await self.close(CLOSE_BAD_FRAME)

    # --- The feed ----------------------------------------------------------------------------------------

    async def feed_wake(self, event: dict[str, Any]) -> None:
        """Something changed for this user. One indexed read by (subject, topic) per wake-up: the channel
        layer may drop or reorder, so the row, not the message, says what is true.
        """
        topic = str(event["topic"])
        if self.visit is None or self.visit.host.shadow or event["subject"] != self.visit.session.subject:
            return
        if self.shown.get(topic, (0, 0.0))[0] >= int(event["version"]):
            return
        state = await self._state(topic)
        if state is None:
            return
        wait = self.shown.get(topic, (0, -CALM_S))[1] + CALM_S - time.monotonic()
        if state.stage.is_urgent or wait <= 0:
            await self._say(state)
        elif topic not in self.waiting:
            self.waiting[topic] = asyncio.create_task(self._later(topic, wait))

    async def _later(self, topic: str, wait: float) -> None:
        """Shows what is newest when its time has come; the states between are skipped."""
        await asyncio.sleep(wait)
        self.waiting.pop(topic, None)
        state = await self._state(topic)
        if state is not None and state.version > self.shown.get(topic, (0, 0.0))[0]:
            await self._say(state)

    async def _state(self, topic: str) -> IncidentState | None:
        if self.visit is None:
            return None
        return await database_sync_to_async(feed_entry)(self.visit.session.subject, topic)

    # --- Small helpers -----------------------------------------------------------------------------------

    async def _say(self, message: Message) -> None:
        if isinstance(message, IncidentState):
            self._note(message)
        elif isinstance(message, Snapshot):
            for state in message.incidents:
                self._note(state)
        await self.send(json.dumps(message.wire(), separators=(",", ":")))

    def _note(self, state: IncidentState) -> None:
        self.shown[state.incident] = (state.version, time.monotonic())

    async def _refuse(self, refusal: FrameRefused, code: int | None) -> None:
        await self._say(error_frame(refusal))
        if code is not None:
            await self.close(code)

    def _close_after_bad(self) -> int | None:
        """A stranger's bad frame closes at once; a known SDK's is answered, some of them."""
        self.bad_frames += 1
        return CLOSE_BAD_FRAME if self.visit is None or self.bad_frames >= BAD_FRAMES else None

    def _origin(self) -> str | None:
        found = [value for name, value in self.scope.get("headers", []) if name == b"origin"]
        return found[0].decode("latin-1") if len(found) == 1 else None

    def _enter(self, key: str, most: int) -> bool:
        entered = OPEN_SOCKETS.enter(key, most)
        if entered:
            self.entered.append(key)
        return entered
