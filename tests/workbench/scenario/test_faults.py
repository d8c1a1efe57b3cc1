"""The fault player: the recorded answers first, then the stand-in; and the bench's own small HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from workbench.scenario.inside.faults import FaultPlayer
from workbench.scenario.inside.http import LoginRefused, login_cookies, request
from workbench.scenario.inside.processes import free_port
from workbench.scenario.model import Fault


class StandIn:
    """Answers every request with what it got, in chunks, and counts how often it was started."""

    def __init__(self) -> None:
        self.starts = 0
        self.port = free_port()

    async def __call__(self) -> int:
        if self.starts == 0:
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.starts += 1
        return self.port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        writer.write(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def playing(*faults: Fault) -> AsyncIterator[tuple[FaultPlayer, StandIn, int]]:
    stand_in, port = StandIn(), free_port()
    player = FaultPlayer(faults, stand_in)
    await player.start(port)
    try:
        yield player, stand_in, port
    finally:
        await player.stop()


async def test_recorded_answers_come_first_and_then_the_stand_in() -> None:
    fault = Fault(
        service="model", status=429, headers={"Retry-After": "1"}, times=2, method="POST", path="/v1/jobs/:id"
    )
    async with playing(fault) as (player, stand_in, port):
        answers = [await request(port, "POST", "/v1/jobs/77?x=1", body=b"hello") for _ in range(3)]
        assert [status for status, _ in answers] == [429, 429, 201]
        assert json.loads(answers[0][1])["error"]["code"] == "recorded_fault"
        assert b"hello" in answers[2][1]
        assert (player.played, player.passed_on, stand_in.starts) == (2, 1, 1)


async def test_other_requests_pass_while_a_fault_waits_for_its_own() -> None:
    async with playing(Fault(service="model", status=500, method="POST", path="/v1/a")) as (player, _, port):
        assert (await request(port, "GET", "/v1/a"))[0] == 201
        assert (await request(port, "POST", "/v1/b"))[0] == 201
        assert (await request(port, "POST", "/v1/a"))[0] == 500
        assert player.played == 1


async def test_the_recorded_header_reaches_the_host_and_a_broken_one_does_not() -> None:
    fault = Fault(service="m", status=503, headers={"Retry-After": "7", "X-Evil": "a\r\nSet-Cookie: b"})
    async with playing(fault) as (_, _, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.close()
    assert "Retry-After: 7" in head
    assert "Set-Cookie" not in head


async def test_status_0_cuts_the_connection() -> None:
    async with playing(Fault(service="model", status=0)) as (_, _, port):
        with pytest.raises((OSError, ValueError)):
            await request(port, "GET", "/")
        assert (await request(port, "GET", "/"))[0] == 201


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 401 No\r\n\r\n{}", "answered 401"),
        (b"HTTP/1.1 200 OK\r\n\r\nnot json", "login call failed"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "no cookies of the documented form"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"cookies": [1]}', "no cookies of the documented form"),
        (b"", "login call failed"),
    ],
)
async def test_a_login_that_is_none_is_an_error(answer: bytes, words: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    port = free_port()
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        with pytest.raises(LoginRefused, match=words):
            await login_cookies(port, "secret", "alice")
