"""Forge ends as a server should: no new requests, and an answer for everybody who had asked."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from .conftest import Forge, Person, environment, program, wait_until


class Provider:
    """A model provider that answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                provider.asked.set()
                provider.answer.wait(20)
                body = json.dumps({"title": "Recipe Box", "steps": [], "html": "<p>Soup</p>"}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    threading.Thread(target=provider.server.serve_forever, daemon=True).start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()


def test_a_request_under_way_is_answered_after_forge_was_told_to_end(forge: Forge, provider: Provider):
    env = environment(FORGE_DATA=str(forge.data), FORGE_MODEL_URL=provider.url)
    with ThreadPoolExecutor(2) as pool:
        with program("forge", env=env) as url:
            person = Person(replace(forge, url=url))
            person.log_in("ada")
            under_way = pool.submit(person.api, "/api/generate", {"prompt": "A recipe box"})
            assert provider.asked.wait(10)
            answering = pool.submit(_answer_when_closed, provider, url)
        answering.result()
        assert under_way.result().status_code == 201


def _answer_when_closed(provider: Provider, url: str) -> None:
    wait_until(lambda: _refuses(url), "Forge takes no new requests", 10)
    provider.answer.set()


def _refuses(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", timeout=2)
    except httpx.TransportError:
        return True
    return False
