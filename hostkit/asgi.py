"""The endpoints as ASGI middleware: `app = KriptikMiddleware(app, kit)`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hostkit.endpoints import MAX_BODY_BYTES, PREFIX, answer, too_large
from hostkit.kit import HostKit
from hostkit.shapes import Reply, Request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class KriptikMiddleware:
    """Answers `/__kriptik__/*` itself and hands everything else (WebSockets too) through untouched."""

    def __init__(self, app: ASGIApp, kit: HostKit) -> None:
        self.app = app
        self.kit = kit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not str(scope["path"]).startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            await _send(too_large(), send)
            return
        # Hooks are plain functions that may read a database, so they run beside the event loop.
        reply = await asyncio.to_thread(answer, self.kit, _request(scope, body))
        await _send(reply, send)


def _request(scope: Scope, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # HTTP/2 may split the cookies over several headers; WSGI servers join them, so do we.
        headers[name] = f"{headers[name]}; {value}" if name == "cookie" and name in headers else value
    return Request(method=scope["method"], path=scope["path"], headers=headers, body=body)


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it's larger than we take."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(reply: Reply, send: Send) -> None:
    headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": reply.body})
