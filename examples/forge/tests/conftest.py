"""Forge on a database of its own, with the real providers on free ports."""

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import ThreadingHTTPServer

import pytest
from forge.app import create_app
from forge.config import Config
from forge.db import connect
from forge_services.model import model_server
from forge_services.payments import payments_server
from werkzeug.serving import make_server

SECRET = "a-test-secret-of-thirty-two-bytes"


@contextmanager
def serving(server) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def model_url() -> Iterator[str]:
    server: ThreadingHTTPServer = model_server(0, capacity=1000, refill=1000, latency_s=0)
    with serving(server) as url:
        yield url


@pytest.fixture
def payments_url(request) -> Iterator[str]:
    delay = getattr(request, "param", 0)
    with serving(payments_server(0, webhook_delay_s=delay)) as url:
        yield url


@pytest.fixture
def app(tmp_path, model_url, payments_url, monkeypatch):
    """The application, listening as well: the payment provider calls its webhook."""
    monkeypatch.setenv("KRIPTIK_SECRET", SECRET)
    monkeypatch.setenv("KRIPTIK_HOST", "forge")
    server = make_server("127.0.0.1", 0, lambda env, start: application(env, start), threaded=True)
    config = Config(
        data=tmp_path,
        public_url=f"http://127.0.0.1:{server.port}",
        model_url=model_url,
        model_key="forge",
        payments_url=payments_url,
        payments_key="forge",
        https=False,
        kriptik_url="",
        kriptik_key="",
    )
    application = create_app(config)
    with serving(server):
        yield application


@pytest.fixture
def db(app):
    with closing(connect(app.config["FORGE"].database)) as connection:
        yield connection


class Browser:
    """A test client that fills forms as a page does: with the CSRF token it was given."""

    def __init__(self, app) -> None:
        self.client = app.test_client()
        self.token = re.search(r'name="csrf-token" content="([^"]+)"', self.get("/login").text)[1]

    def get(self, path: str):
        return self.client.get(path)

    def submit(self, path: str, follow: bool = True, **fields):
        return self.client.post(path, data={**fields, "csrf": self.token}, follow_redirects=follow)

    def api(self, path: str, body):
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self.token})

    def sign_up(self, email: str = "dora@forge.example", password: str = "dora-builds") -> None:
        page = self.submit("/signup", name="Dora", email=email, password=password)
        assert page.request.path == "/studio", page.text

    def log_in(self, email: str = "dora@forge.example", password: str = "dora-builds"):
        return self.submit("/login", email=email, password=password)

    def credits(self) -> dict[str, int]:
        return self.get("/api/credits").json


@pytest.fixture
def browser(app) -> Browser:
    return Browser(app)


@pytest.fixture
def stranger(app) -> Browser:
    return Browser(app)
