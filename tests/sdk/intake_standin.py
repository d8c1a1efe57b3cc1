"""A small intake that speaks the wire protocol's server side, and the pages that load the SDK from it.

One thread, one event loop; tests read `frames` and call `push`. It acknowledges what it gets, as the real
one does.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from incidents.wire import FrameRefused, Leniency, frame_parse

DIST = Path(__file__).resolve().parents[2] / "sdk" / "dist"
Frame = dict[str, Any]


class Intake:
    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.beacons: list[Frame] = []
        self.objections: list[str] = []
        self.pages: dict[str, str] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.config: dict[str, Any] = {}
        self.snapshot: list[Frame] = []
        self.incident: str | None = "inc_aaaaaaaaaaaaaaaaaaaa"
        self.socket_open = True
        self.acknowledge = True
        self.user: str | None = None
        self.ledger = 150
        self._sockets: set[web.WebSocketResponse] = set()
        self._arrived = threading.Condition()

    # --- what tests use ---------------------------------------------------------------------------------
    def start(self) -> None:
        started = threading.Event()
        self.loop = asyncio.new_event_loop()

        def run() -> None:
            asyncio.set_event_loop(self.loop)
            self.loop.run_until_complete(self._serve(started))
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        assert started.wait(10), "the stand-in did not start"

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def page(self, name: str, body: str, *, head: str = "", tag: str = "") -> str:
        """Registers a page and returns its address."""
        script = f'<script src="/sdk/v1/kriptik.js" data-key="pk_test" {tag} defer></script>'
        head = f"<title>{name}</title>{head}{script}"
        self.pages[name] = f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>"
        return f"{self.url}/p/{name}"

    def push(self, frame: Frame) -> None:
        async def send() -> None:
            for socket in list(self._sockets):
                await socket.send_json(frame)

        asyncio.run_coroutine_threadsafe(send(), self.loop).result(5)

    def drop_sockets(self) -> None:
        async def close() -> None:
            for socket in list(self._sockets):
                await socket.close(code=1012)

        asyncio.run_coroutine_threadsafe(close(), self.loop).result(5)

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def reports(self) -> list[Frame]:
        return [frame["report"] for frame in self.of("report")]

    def wait(self, fact: Callable[[], Any], seconds: float = 8) -> Any:
        """The first truthy answer of `fact`, asked whenever something arrived."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while not (answer := fact()):
                left = deadline - time.monotonic()
                assert left > 0, f"never became true; frames: {[f['type'] for f in self.frames]}"
                self._arrived.wait(min(left, 0.5))
        return answer

    def wait_report(self, kind: str, seconds: float = 8) -> Frame:
        return self.wait(lambda: next((r for r in self.reports() if r["kind"] == kind), None), seconds)

    # --- the server -------------------------------------------------------------------------------------
    async def _serve(self, started: threading.Event) -> None:
        app = web.Application()
        app.add_routes(
            [
                web.get("/sdk/v1/socket", self._socket),
                web.post("/sdk/v1/reports", self._reports),
                web.get("/sdk/v1/{file}", self._bundle),
                web.get("/p/{name}", self._page),
                web.get("/__kriptik__/identity", self._identity),
                web.route("*", "/api/{what}", self._api),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        started.set()

    def _note(self, frame: Frame) -> None:
        """Every frame is read by the real intake's own parser; what it refuses or drops is an objection."""
        leniency = Leniency()
        try:
            frame_parse(frame, leniency)
        except FrameRefused as refusal:
            self.objections.append(f"{frame['type']}: {refusal}")
        if leniency.dropped_fields or leniency.cut_values:
            self.objections.append(f"{frame['type']}: {leniency}")
        with self._arrived:
            self.frames.append(frame)
            self._arrived.notify_all()

    def _welcome(self) -> Frame:
        return {
            "type": "welcome",
            "v": 1,
            "session": "capability-1",
            "user": self.user,
            "config": self.config,
            "server_time": int(time.time() * 1000),
        }

    def _reply(self, frame: Frame) -> Frame | None:
        match frame["type"]:
            case "report":
                event_id = frame["report"]["client_event_id"]
                return {"type": "ack", "client_event_id": event_id, "incident": self.incident}
            case "answer" | "rating" | "try_again":
                return {
                    "type": "ack",
                    "client_event_id": frame["client_event_id"],
                    "incident": frame["incident"],
                }
            case "chunk":
                return {"type": "chunk_ack", "client_event_id": frame["client_event_id"], "seq": frame["seq"]}
            case "ping":
                return {"type": "pong"}
        return None

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self.socket_open:
            return web.Response(status=403)
        socket = web.WebSocketResponse(max_msg_size=600_000)
        await socket.prepare(request)
        self._sockets.add(socket)
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            self._note(frame)
            if frame["type"] == "hello":
                await socket.send_json(self._welcome())
                await socket.send_json({"type": "snapshot", "incidents": self.snapshot})
            elif self.acknowledge and (reply := self._reply(frame)):
                await socket.send_json(reply)
        self._sockets.discard(socket)
        return socket

    async def _reports(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        self._note(body["hello"])
        for frame in body["frames"]:
            self._note(frame)
            self.beacons.append(frame)
        replies = [reply for frame in body["frames"] if (reply := self._reply(frame))]
        return web.json_response({"welcome": self._welcome(), "replies": replies})

    async def _bundle(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(DIST / request.match_info["file"])

    async def _page(self, request: web.Request) -> web.Response:
        html = self.pages.get(request.match_info["name"], "")
        return web.Response(text=html, content_type="text/html", status=200 if html else 404)

    async def _identity(self, request: web.Request) -> web.Response:
        if self.user is None:
            return web.json_response({"error": "signed out"}, status=401)
        return web.json_response({"token": f"e30.e30.{self.user}"})

    async def _api(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, dict(request.headers)))
        match request.match_info["what"]:
            case "fails":
                return web.json_response({"error": "provider overloaded"}, status=502)
            case "error-in-200":
                return web.json_response({"ok": False, "error": "no capacity"})
            case "slow":
                await asyncio.sleep(float(request.query.get("s", "2")))
                return web.json_response({"ok": True})
            case "credits":
                return web.json_response({"balance": 50, "ledger": self.ledger})
            case "refused":
                return web.json_response({"error": "forbidden"}, status=401)
        return web.json_response({"ok": True})
