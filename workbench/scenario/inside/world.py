"""The world of one run: a fresh copy of the account, a fresh host, fresh faults. Nothing of it outlives
the run.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from workbench.scenario.inside.faults import FaultPlayer
from workbench.scenario.inside.processes import Process, free_port
from workbench.scenario.wire import ACCOUNT, STATE, TREE, BenchSpec

_PASSED_ON = ("PATH", "LANG", "LD_LIBRARY_PATH")


def plain_environment(home: Path) -> dict[str, str]:
    """What every command of the host gets: its tools and packages, nothing of our runner's."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    path = os.environ.get("KRIPTIK_HOST_PYTHONPATH", "")
    if path:
        env["PYTHONPATH"] = path
    return {**env, "HOME": str(home), "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1"}


class World:
    """`async with World(...)`: up and healthy inside, gone after. Raises NotHealthy when something stays
    down.
    """

    def __init__(self, spec: BenchSpec, root: Path, index: int) -> None:
        self._spec, self._tree, self._root = spec, root / TREE, root / STATE / f"{index:03d}"
        self._account = root / ACCOUNT
        self.secret = secrets.token_hex(32)
        self._services: dict[str, Process] = {}
        self._starting: dict[str, asyncio.Task[int]] = {}
        self._players: dict[str, FaultPlayer] = {}
        self.host: Process | None = None

    @property
    def port(self) -> int:
        assert self.host is not None
        return self.host.port

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> World:
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        for task in self._starting.values():
            task.cancel()
        for player in self._players.values():
            await player.stop()
        for process in filter(None, [self.host, *self._services.values()]):
            await process.stop()
        shutil.rmtree(self._root / "data", ignore_errors=True)

    def server_errors(self) -> list[str]:
        return self.host.errors() if self.host else []

    @property
    def faults_played(self) -> int:
        return sum(player.played for player in self._players.values())

    async def _start(self) -> None:
        data, home = self._root / "data", self._root / "home"
        shutil.copytree(self._account, data)
        home.mkdir(parents=True)
        env = self._environment(home)
        faulty = {fault.service for fault in self._spec.scenario.faults}
        for name, service in self._spec.host.services.items():
            env[service.env] = await self._play(name, service.start, home)
        host = self._spec.host
        port = free_port()
        self.host = Process(
            "host",
            host.start,
            port=port,
            cwd=self._tree,
            env={**env, host.data_env: str(data)},
            log=self._root / "host.log",
        )
        await self.host.start()
        # A stand-in that will be asked in any case starts beside the host; the others wait until
        # somebody calls.
        await asyncio.gather(self.host.healthy(host.health), *(self._upstream(name)() for name in faulty))

    async def _play(self, name: str, start: str, home: Path) -> str:
        stand_in, player_port = free_port(), free_port()
        self._services[name] = Process(
            f"stand-in of {name}",
            start,
            port=stand_in,
            cwd=self._tree,
            env=self._environment(home),
            log=self._root / f"service-{name}.log",
        )
        faults = [fault for fault in self._spec.scenario.faults if fault.service == name]
        player = FaultPlayer(faults, self._upstream(name))
        await player.start(player_port)
        self._players[name] = player
        return f"http://127.0.0.1:{player_port}"

    def _upstream(self, name: str) -> Callable[[], Awaitable[int]]:
        async def ready() -> int:
            if name not in self._starting:
                self._starting[name] = asyncio.create_task(self._start_service(name))
            return await asyncio.shield(self._starting[name])

        return ready

    async def _start_service(self, name: str) -> int:
        process = self._services[name]
        await process.start()
        await process.healthy(None)
        return process.port

    def _environment(self, home: Path) -> dict[str, str]:
        """What a host gets from Ops, with a throw-away secret and without the addresses that are not
        there here.
        """
        return {
            **plain_environment(home),
            "KRIPTIK_SECRET": self.secret,
            "KRIPTIK_HOST": "sandbox",
            "KRIPTIK_KEY": "",
            "KRIPTIK_URL": "",
            "KRIPTIK_RELEASE": "stable",
            "SENTRY_DSN": "",
            **self._spec.host.env,
        }
