"""Starts the host and its stand-ins, waits until they answer, and ends them with all their children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import signal
import socket
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from workbench.scenario.inside.http import request

START_S = 30.0
_POLL_S = 0.03
_LOG_BYTES = 512 * 1024
_TROUBLE = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b|^[A-Za-z_][\w.]*(Error|Exception)\b")
# Below the kernel's range for outgoing connections, so that the browser never holds a port we are about
# to use.
_ports = count(20_000)


class NotHealthy(Exception):
    """A process did not come up; the message says how it ended and what it last said."""


def free_port() -> int:
    for port in _ports:
        with socket.socket() as probe:
            # As a server will bind it: without the option a port in TIME_WAIT looks taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise AssertionError("unreachable: the counter has no end")


class Process:
    """One process group with its log file."""

    def __init__(
        self, name: str, command: str, *, port: int, cwd: Path, env: Mapping[str, str], log: Path
    ) -> None:
        self.name, self.port, self.log = name, port, log
        self._argv = [word.replace("{port}", str(port)) for word in shlex.split(command)]
        self._cwd, self._env = cwd, env
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        if not self._argv:
            raise NotHealthy(f"the {self.name} has no start command")
        with self.log.open("ab") as log:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._argv,
                    cwd=self._cwd,
                    env=dict(self._env),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as failure:
                raise NotHealthy(f"the {self.name} can't be started: {failure.strerror}") from failure

    async def healthy(self, path: str | None) -> None:
        """Return when `path` answers 2xx (None: when the port accepts); raises NotHealthy after 30 s or
        its end.
        """
        deadline = time.monotonic() + START_S
        last = "it did not answer"
        while time.monotonic() < deadline:
            if self._process is None or self._process.returncode is not None:
                code = self._process.returncode if self._process else None
                raise NotHealthy(
                    f"the {self.name} ended with code {code} while starting: {self.last_words()}"
                )
            try:
                if path is None:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                status, _ = await request(self.port, "GET", path, timeout=5)
                if 200 <= status < 300:
                    return
                last = f"it answered {status}"
            except (OSError, TimeoutError, ValueError):
                pass
            await asyncio.sleep(_POLL_S)
        raise NotHealthy(f"the {self.name} was not healthy after {START_S:.0f} s: {last}")

    async def stop(self) -> None:
        """Kill the group: a run's state is thrown away, so nobody has to say goodbye."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    @property
    def ended(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    def last_words(self) -> str:
        lines = [line.strip() for line in self._read().splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it wrote nothing"

    def errors(self) -> list[str]:
        """Lines of the log that tell of trouble: logged errors and the last lines of tracebacks."""
        return [line.strip()[:500] for line in self._read().splitlines() if _TROUBLE.search(line)]

    def _read(self) -> str:
        try:
            with self.log.open("rb") as log:
                return log.read(_LOG_BYTES).decode(errors="replace")
        except OSError:
            return ""
