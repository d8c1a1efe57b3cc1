"""A demo of its own for the end-to-end stories: its processes, its var/, its ports, its database."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.environment import WORKER_NUMBER, free_port

ROOT = Path(__file__).resolve().parent.parent
READY_S = 180


class Demo:
    """The running demo, and what its stories told."""

    def __init__(self, var: Path, env: dict[str, str]):
        self.var, self.env = var, env
        self.process: subprocess.Popen[str] | None = None
        self.told: dict[str, dict] = {}

    @property
    def repository(self) -> Path:
        return self.var / "demo" / "forge"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said = []
        assert self.process.stdout
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("Next:"):
                return
        raise AssertionError(f"The demo did not start:\n{''.join(said)}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=60)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=900,
        )

    def tell(self, *arguments: str) -> dict[str, dict]:
        """Runs the stories; what they said is shown when a test fails."""
        done = self.manage("demo_run", *arguments)
        sys.stdout.write(done.stdout + done.stderr)
        path = self.var / "demo" / "timeline.json"
        assert path.exists(), done.stderr
        return {story["scenario"]: story for story in json.loads(path.read_text())}

    def run_story(self, scenario: str) -> dict:
        return self.tell("--only", scenario)[scenario]

    def git(self, *arguments: str) -> str:
        git = ["git", "--git-dir", str(self.repository / ".git"), *arguments]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout


def _database(var: Path) -> dict[str, str]:
    """A fresh database on the server that the suite runs on; SQLite needs nothing."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        return {}
    name = f"kriptik_story_{WORKER_NUMBER}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}"')
    return {"DATABASE_URL": f"{url.rsplit('/', 1)[0]}/{name}"}


def _environment(var: Path) -> dict[str, str]:
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("KRIPTIK", "DJANGO", "REDIS", "PYTEST"))
    }
    ports = ("PORT", "VALKEY_PORT", "GATEWAY_PORT", "DEMO_MODEL_PORT", "DEMO_PAYMENTS_PORT")
    env = {**clean, "KRIPTIK_VAR": str(var), "DJANGO_SETTINGS_MODULE": "kriptik_ops.settings"}
    env |= {f"KRIPTIK_{name}": str(free_port()) for name in ports}
    shared = os.environ.get("KRIPTIK_TEST_REDIS")
    if shared:
        # Beyond the numbers that the test processes use: a worker must not see their messages.
        env["REDIS_URL"] = f"{shared.rsplit('/', 1)[0]}/{8 + WORKER_NUMBER}"
    return env | _database(var)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="kriptik-story-") as folder:
        running = Demo(Path(folder), _environment(Path(folder)))
        try:
            running.start()
            running.told = running.tell()
            yield running
        finally:
            running.stop()
