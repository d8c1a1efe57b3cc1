"""A demo in a process of its own: for `demo_run` when none runs, for the tests and for the benchmark."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import Permanent

ROOT = Path(__file__).resolve().parents[2]
STOP_S = 60
PORTS = ("PORT", "VALKEY_PORT", "GATEWAY_PORT", "DEMO_MODEL_PORT", "DEMO_PAYMENTS_PORT")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fresh_environment(var: Path, **more: str) -> dict[str, str]:
    """The environment of a demo beside any other: its own var/, its own ports, none of our settings."""
    ours = ("KRIPTIK", "DJANGO", "REDIS", "DATABASE", "PYTEST")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= {f"KRIPTIK_{name}": str(free_port()) for name in PORTS}
    return env | {"KRIPTIK_VAR": str(var), **more}


class DemoProcess:
    """`manage.py demo`, and commands beside it with the same environment."""

    def __init__(self, env: Mapping[str, str]):
        self.env = dict(env)
        self._process: subprocess.Popen[str] | None = None

    @property
    def host_url(self) -> str:
        return f"http://127.0.0.1:{self.env['KRIPTIK_GATEWAY_PORT']}"

    def start(self) -> str:
        """Returns what it said until it was ready; raises Permanent with that when it never was."""
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to pass on
        )
        said = []
        assert self._process.stdout
        for line in self._process.stdout:
            said.append(line)
            if line.startswith("Next:"):
                return "".join(said)
        raise Permanent(f"The demo did not start:\n{''.join(said).strip()}")

    def stop(self) -> str:
        """Ctrl-C; returns what it said from then on, once everything has ended."""
        if self._process is None or self._process.poll() is not None:
            return ""
        self._process.send_signal(signal.SIGINT)
        return self._process.communicate(timeout=STOP_S)[0]

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a manage.py command to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True
        )

    def tell(self, *arguments: str) -> tuple[dict[str, Any], str]:
        """Tells the stories: scenario -> its timeline as JSON, and what was printed."""
        done = self.manage("demo_run", *arguments)
        path = Path(self.env["KRIPTIK_VAR"]) / "demo" / "timeline.json"
        if not path.exists():
            raise Permanent(f"No story was told: {done.stderr.strip()}")
        return {story["scenario"]: story for story in json.loads(path.read_text())}, done.stdout + done.stderr
