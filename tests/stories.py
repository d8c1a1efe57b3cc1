"""A demo of its own for the end-to-end stories: its processes, its var/, its ports, its database."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

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

    def git(self, *arguments: str) -> str:
        git = ["git", "--git-dir", str(self.repository / ".git"), *arguments]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout


def _services() -> dict[str, str]:
    """A fresh database and a message store that no test process uses, on the servers the suite runs on."""
    services = {}
    if shared := os.environ.get("KRIPTIK_TEST_REDIS"):
        services["REDIS_URL"] = f"{shared.rsplit('/', 1)[0]}/{8 + WORKER_NUMBER}"
    if url := os.environ.get("DATABASE_URL"):
        name = f"kriptik_story_{WORKER_NUMBER}"
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{name}"')
        services["DATABASE_URL"] = f"{url.rsplit('/', 1)[0]}/{name}"
    return services


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="kriptik-story-") as folder:
        running = Demo(fresh_environment(Path(folder), **_services()))
        try:
            running.start()
            running.tell_all()
            yield running
        finally:
            running.stop()
