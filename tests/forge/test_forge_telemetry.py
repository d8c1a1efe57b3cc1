"""With a DSN Forge's errors reach the intake, in the trace of the browser's report."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

from .conftest import Person, forge_running, other_tenants, wait_until

TRACE = "771a43a4192642f0b136d5159a501700"


@pytest.fixture(scope="module")
def intake() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that takes Sentry envelopes and keeps their events."""
    events: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            raw = gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw
            lines = raw.split(b"\n")
            for header, payload in pairwise(lines):
                if b'"type":"event"' in header.replace(b" ", b""):
                    events.append(json.loads(payload))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://public@127.0.0.1:{server.server_port}/1", events
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def reported(intake, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Person]:
    """What reached the intake after one Generate in a burst, and who pressed it."""
    dsn, events = intake
    data = tmp_path_factory.mktemp("telemetry")
    with forge_running(data, SENTRY_DSN=dsn, KRIPTIK_RELEASE="rel_42") as forge:
        person = Person(forge)
        person.log_in("ada")
        other_tenants(forge)
        trace = {"sentry-trace": f"{TRACE}-b136d5159a501700-1", "x-kriptik-action": "a12"}
        assert person.api("/api/generate", {"prompt": "A recipe box"}, **trace).status_code == 502
        wait_until(lambda: bool(events), "the error is reported", 30)
    (event,) = events
    return event, person


def test_a_failed_generate_is_reported_in_the_trace_of_the_click(reported):
    event, _ = reported
    assert event["contexts"]["trace"]["trace_id"] == TRACE
    assert (event["release"], event["user"]["id"], event["tags"]["kriptik_action"]) == ("rel_42", "u1", "a12")


def test_the_report_points_at_the_function_that_called_the_provider(reported):
    event, _ = reported
    error = event["exception"]["values"][-1]
    ours = [frame for frame in error["stacktrace"]["frames"] if frame["in_app"]]
    assert error["type"] == "HTTPError"
    assert (ours[-1]["filename"], ours[-1]["function"]) == ("forge/studio/provider.py", "request_app")


def test_the_report_says_what_the_provider_answered(reported):
    event, _ = reported
    (crumb,) = [one for one in event["breadcrumbs"]["values"] if one["type"] == "http"]
    assert (crumb["data"]["http.response.status_code"], crumb["data"]["http.method"]) == (429, "POST")
    upstream = event["contexts"]["upstream"]
    assert (upstream["status"], upstream["path"], upstream["retry_after"]) == (429, "/v1/generate", "1")


def test_the_report_says_nothing_about_who_the_user_is(reported):
    event, person = reported
    text = json.dumps(event)
    assert "ada@forge.example" not in text
    assert person.http.cookies["forge_session"] not in text
