"""The two providers behave like real ones: refusals, rate limits, webhooks late and more than once."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from .conftest import FORGE, Forge, Person, environment, wait_until

KEY = {"Authorization": "Bearer somebody"}
CHECKOUT = {
    "amount": 900,
    "currency": "eur",
    "metadata": {"user": "u9"},
    "webhook_url": "http://127.0.0.1:9/",
}


@pytest.mark.parametrize(
    ("service", "path", "body", "status"),
    [
        ("model_url", "/v1/generate", {}, 400),
        ("model_url", "/v1/generate", {"prompt": " "}, 400),
        ("model_url", "/v1/generate", ["prompt"], 400),
        ("model_url", "/v1/_traffic", {"seconds": 0}, 400),
        ("model_url", "/v1/_traffic", {"seconds": 1, "per_second": 9999}, 400),
        ("model_url", "/v1/nowhere", {}, 404),
        ("payments_url", "/v1/checkout", {**CHECKOUT, "amount": 0}, 400),
        ("payments_url", "/v1/checkout", {**CHECKOUT, "amount": True}, 400),
        ("payments_url", "/v1/checkout", {**CHECKOUT, "metadata": None}, 400),
        ("payments_url", "/v1/checkout", {**CHECKOUT, "webhook_url": "file:///etc/passwd"}, 400),
        ("payments_url", "/v1/_queue", {"delay": -1}, 400),
        ("payments_url", "/v1/_queue", {"delay": "soon"}, 400),
    ],
)
def test_a_bad_call_is_refused(forge: Forge, service: str, path: str, body: object, status: int):
    answer = httpx.post(getattr(forge, service) + path, json=body, headers=KEY)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/generate", "/v1/_traffic"])
def test_nothing_is_done_without_a_key(forge: Forge, path: str):
    assert httpx.post(forge.model_url + path, json={"prompt": "A list", "seconds": 1}).status_code == 401


def test_one_key_does_not_use_up_anothers_rate(forge: Forge):
    def ask(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.post(
            f"{forge.model_url}/v1/generate", json={"prompt": "A list"}, headers=headers
        ).status_code

    assert 429 in [ask("greedy") for _ in range(12)]
    assert ask("modest") == 200


def test_a_purchase_is_shown_to_the_key_that_made_it(forge: Forge):
    made = httpx.post(f"{forge.payments_url}/v1/checkout", json=CHECKOUT, headers=KEY).json()
    url = f"{forge.payments_url}/v1/purchases/{made['id']}"
    assert httpx.get(url, headers=KEY).json() == made
    assert httpx.get(url, headers={"Authorization": "Bearer somebody-else"}).status_code == 404


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[float, dict[str, str]]]]]:
    """Takes webhooks, and fails on the first."""
    got: list[tuple[float, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((time.monotonic(), json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(500 if len(got) == 1 else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    server.server_close()


def test_a_webhook_comes_late_and_again_when_it_was_not_taken(forge: Forge, receiver):
    url, got = receiver
    asked = time.monotonic()
    body = {**CHECKOUT, "webhook_url": url}
    made = httpx.post(f"{forge.payments_url}/v1/checkout", json=body, headers=KEY).json()
    wait_until(lambda: len(got) == 2, "the webhook comes twice", 30)
    assert got[0][0] - asked >= 0.4
    assert got[0][1] == got[1][1]
    assert got[0][1]["purchase"] == made["id"]


def test_when_the_queue_has_caught_up_bought_credits_show_at_once(forge: Forge, person: Person):
    def queue(delay: float) -> None:
        answer = httpx.post(f"{forge.payments_url}/v1/_queue", json={"delay": delay}, headers=KEY)
        assert answer.json() == {"delay": delay}

    person.log_in("ada")
    before = person.credits()
    queue(0)
    try:
        person.submit("/credits/checkout", pack="100")
    finally:
        queue(0.4)
    assert person.credits() == {"shown": before["shown"] + 100, "ledger": before["ledger"] + 100}


def test_the_load_generator_counts_what_came_back(forge: Forge):
    argv = [sys.executable, "-m", "forge_services.model_load", "--url", forge.model_url, "--key", "load"]
    done = subprocess.run(
        [*argv, "--seconds", "1", "--per-second", "30"],
        cwd=FORGE,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    counts = dict(re.findall(r"(\d+): (\d+)", done.stdout))
    assert counts.keys() == {"200", "429"}
    assert int(counts["200"]) >= 5
