"""The real Forge with its real providers, each a process of its own, on a seeded database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hostkit.client import HostClient

ROOT = Path(__file__).resolve().parents[2]
FORGE = ROOT / "examples" / "forge"
SECRET = "the-host-and-ops-share-this-secret"
START_S = 60
END_S = 30


@dataclass(frozen=True)
class Forge:
    url: str
    model_url: str
    payments_url: str
    data: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**extra: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **extra}


@contextmanager
def program(module: str, *args: str, env: dict[str, str], tree: Path = FORGE) -> Iterator[str]:
    """A server that answers its health check; ended with SIGTERM, and it must end cleanly."""
    port = free_port()
    argv = [sys.executable, "-m", module, "--port", str(port), *args]
    process = subprocess.Popen(argv, cwd=tree, env=env, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _healthy(process, url), f"{module} answers", START_S)
        yield url
    finally:
        process.terminate()
        assert process.wait(timeout=END_S) == 0, f"{module} did not end cleanly"


def _healthy(process: subprocess.Popen[bytes], url: str) -> bool:
    assert process.poll() is None, f"ended with {process.returncode} before it listened"
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(fact: Callable[[], bool], what: str, seconds: float, every: float = 0.05) -> None:
    until = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < until, f"within {seconds:g} s: {what}"
        time.sleep(every)


@contextmanager
def forge_running(data: Path, **extra: str) -> Iterator[Forge]:
    seeded = [sys.executable, "-m", "forge.seed", "--data", str(data)]
    subprocess.run(seeded, cwd=FORGE, env=environment(), check=True, stdout=subprocess.DEVNULL)
    with ExitStack() as stack:
        model = stack.enter_context(program("forge_services.model", "--latency", "0.05", env=environment()))
        payments = stack.enter_context(
            program("forge_services.payments", "--webhook-delay", "0.4", env=environment())
        )
        env = environment(
            FORGE_DATA=str(data),
            FORGE_MODEL_URL=model,
            FORGE_PAYMENTS_URL=payments,
            KRIPTIK_SECRET=SECRET,
            KRIPTIK_HOST="forge",
            **extra,
        )
        url = stack.enter_context(program("forge", env=env))
        yield Forge(url, model, payments, data)


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with forge_running(tmp_path_factory.mktemp("forge")) as running:
        yield running


@pytest.fixture
def host(forge: Forge) -> Iterator[HostClient]:
    with HostClient(forge.url, SECRET) as client:
        yield client


class Person:
    """A user at the HTTP level: cookies kept, the CSRF token read from the page."""

    def __init__(self, forge: Forge) -> None:
        self.http = httpx.Client(base_url=forge.url, follow_redirects=True, timeout=20)
        self.token = self.http.get("/login").text.split('name="csrf-token" content="')[1].split('"')[0]

    def submit(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data={**fields, "csrf": self.token})

    def api(self, path: str, body: object, **headers: str) -> httpx.Response:
        return self.http.post(path, json=body, headers={"X-CSRF-Token": self.token, **headers})

    def log_in(self, name: str) -> httpx.Response:
        return self.submit("/login", email=f"{name}@forge.example", password=f"{name}-builds-apps")

    def credits(self) -> dict[str, int]:
        found: dict[str, int] = self.http.get("/api/credits").json()
        return found


@pytest.fixture
def person(forge: Forge) -> Person:
    return Person(forge)


def other_tenants(forge: Forge, seconds: float = 3) -> None:
    """A burst on the provider's shared key."""
    answer = httpx.post(
        f"{forge.model_url}/v1/_traffic",
        json={"seconds": seconds, "per_second": 50},
        headers={"Authorization": "Bearer forge"},
    )
    assert answer.status_code == 202
