"""A demo of its own for the end-to-end stories: its processes, its var/, its ports, its database."""

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from kriptik_ops.stories.process import DemoProcess, fresh_environment
from tests.environment import WORKER_NUMBER


class Demo(DemoProcess):
    """The running demo, and what its stories told."""

    told: dict[str, dict]

    @property
    def repository(self) -> Path:
        return Path(self.env["KRIPTIK_VAR"]) / "demo" / "forge"

    def tell_all(self) -> None:
        self.told, printed = self.tell()
        sys.stdout.write(printed)  # shown when a test fails

    def run_story(self, scenario: str) -> dict:
        told, printed = self.tell("--only", scenario)
        sys.stdout.write(printed)
        return told[scenario]

    def processes(self) -> list[str]:
        """Command lines of all that runs with this demo's var/, found by their environment."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("KRIPTIK_VAR") == self.env["KRIPTIK_VAR"]:
                    found.append(" ".join(process.cmdline()))
        return found

    def git(self, *arguments: str) -> str:
        git = ["git", "--git-dir", str(self.repository / ".git"), *arguments]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout


# Two demos may run beside each other in one test process: each has a number of its own.
_NUMBERS = itertools.cycle((0, 1))


def _services() -> dict[str, str]:
    """An empty database and message store that nobody else uses, on the servers the suite runs on."""
    number = 2 * WORKER_NUMBER + next(_NUMBERS)
    services = {}
    if shared := os.environ.get("KRIPTIK_TEST_REDIS"):
        services["REDIS_URL"] = f"{shared.rsplit('/', 1)[0]}/{8 + number}"
        redis.from_url(services["REDIS_URL"]).flushdb()
    if url := os.environ.get("DATABASE_URL"):
        name = f"kriptik_story_{number}"
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{name}"')
        services["DATABASE_URL"] = f"{url.rsplit('/', 1)[0]}/{name}"
    return services


@contextlib.contextmanager
def _running() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="kriptik-story-") as folder:
        running = Demo(fresh_environment(Path(folder), **_services()))
        try:
            running.start()
            yield running
        finally:
            running.stop()


@pytest.fixture(scope="class")
def fresh_demo() -> Iterator[Demo]:
    """A demo in which nothing has happened yet."""
    with _running() as running:
        yield running


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A demo whose stories have been told."""
    with _running() as running:
        running.tell_all()
        yield running
