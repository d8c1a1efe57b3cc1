"""The fault player: stands before a service's stand-in and first answers as the real service was
recorded to fail.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from workbench.scenario.model import Fault
from workbench.scenario.shapes import path_matches

_HEAD_LIMIT = 64 * 1024
_IDLE_S = 60.0


class FaultPlayer:
    """One listener for one service and one run. `upstream` starts the stand-in on first use and returns
    its port.
    """

    def __init__(self, faults: Sequence[Fault], upstream: Callable[[], Awaitable[int]]) -> None:
        self._left = [[fault, fault.times] for fault in faults]
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self.played = 0
        self.passed_on = 0

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_HEAD_LIMIT)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection that goes wrong concerns the host only; it sees it as the service hanging up.
        with contextlib.suppress(
            OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError
        ):
            async with asyncio.timeout(_IDLE_S):
                await self._answer(reader, writer)
        with contextlib.suppress(OSError):
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        fault = self._next_fault(method, rest.partition(" ")[0])
        if fault is None:
            self.passed_on += 1
            await self._pass_on(lines, reader, writer)
            return
        self.played += 1
        await _drain_body(lines, reader)
        if fault.status == 0:
            writer.transport.abort()
            return
        writer.write(_recorded_answer(fault))
        await writer.drain()

    def _next_fault(self, method: str, target: str) -> Fault | None:
        for entry in self._left:
            fault, left = entry
            assert isinstance(fault, Fault) and isinstance(left, int)
            if left < 1 or fault.method not in (None, method.upper()):
                continue
            if fault.path is None or path_matches(fault.path, target):
                entry[1] = left - 1
                return fault
        return None

    async def _pass_on(
        self, lines: Sequence[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        port = await self._upstream()
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        # One exchange per connection: the end of the answer is then the end of the stream,
        # whatever its framing.
        kept = [
            line for line in lines if line and not line.lower().startswith(("connection:", "keep-alive:"))
        ]
        up_writer.write("\r\n".join([*kept, "Connection: close", "", ""]).encode("latin-1"))
        upward = asyncio.create_task(_pump(reader, up_writer))
        try:
            await _pump(up_reader, writer)
        finally:
            upward.cancel()
            up_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


async def _drain_body(lines: Sequence[str], reader: asyncio.StreamReader) -> None:
    """Read what the host sends, else closing would reset the connection before it has read the answer."""
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
    }
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0] or b"0", 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    elif headers.get("content-length", "").isdigit():
        await reader.readexactly(int(headers["content-length"]))


def _recorded_answer(fault: Fault) -> bytes:
    try:
        phrase = HTTPStatus(fault.status).phrase
    except ValueError:
        phrase = "Recorded"
    body = b'{"error":{"code":"recorded_fault","message":"This answer was recorded from the real service."}}'
    clean = {
        name: value
        for name, value in fault.headers.items()
        if (name + value).isprintable() and ":" not in name
    }
    lines = [f"HTTP/1.1 {fault.status} {phrase}", *(f"{name}: {value}" for name, value in clean.items())]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", errors="replace") + body
