"""The Sentry protocol, with the real SDK against a running server, and what it refuses."""

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
import uuid
import zlib

import pytest

from incidents.models import Host, IntakeCount, ServerEvent
from incidents.selectors import evidence_for_incident
from incidents.services import report_store

# A server of a host: calls a service that answers 429, and fails because of it.
PROGRAM = """
import sys, requests, sentry_sdk
dsn, upstream, trace = sys.argv[1:]
sentry_sdk.init(dsn=dsn, release="rel_candidate", environment="production", debug=False)
sentry_sdk.continue_trace({"sentry-trace": f"{trace}-00f067aa0ba902b7-1"})
sentry_sdk.set_user({"id": "alice", "email": "alice@forge.example", "ip_address": "10.0.0.1"})
def generate():
    password = "hunter2"
    response = requests.post(f"{upstream}/v1/generate?key=abc", json={"prompt": "x"})
    response.raise_for_status()
try:
    generate()
except Exception as error:
    print(sentry_sdk.capture_exception(error))
sentry_sdk.flush(10)
"""


@pytest.fixture
def busy_service():
    """A model provider that is busy."""

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(429)
            self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def send_with_sdk(host, live_server, upstream, trace):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, host.dsn(live_server.url), upstream, trace],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("first", ["the server", "the browser"])
def test_a_servers_error_joins_the_browsers_report_whichever_comes_first(
    transactional_db, host, live_server, busy_service, session_of, make_report, first
):
    trace = uuid.uuid4().hex
    alice = session_of("alice")
    if first == "the browser":
        incident = report_store(session=alice, report=make_report(trace_id=trace)).incident_id
    event_id = send_with_sdk(host, live_server, busy_service, trace)
    if first == "the server":
        incident = report_store(session=alice, report=make_report(trace_id=trace)).incident_id
    event = ServerEvent.objects.get(event_id=event_id)
    assert (event.trace_id, event.release, event.environment) == (trace, "rel_candidate", "production")
    assert event.title.startswith("HTTPError: 429")
    raised = event.event["exception"]["values"][-1]
    own = [f for f in raised["stacktrace"]["frames"] if f["in_app"]]
    assert [f["function"] for f in own] == ["<module>", "generate"]
    assert own[-1]["lineno"] > 0
    address = busy_service.removeprefix("http://")
    exchange = {"method": "POST", "host": address, "path": "/v1/generate", "status": 429}
    assert event.upstream[-1].items() >= exchange.items()
    evidence = evidence_for_incident(incident)
    assert [e["id"] for e in evidence["server_events"]] == [event.pk]
    assert evidence["server_events"][0]["trust"] == "server"
    assert evidence["upstream"][-1].items() >= exchange.items()
    assert evidence["reports"][0]["trust"] == "attacker"


def test_what_the_sdk_sends_is_scrubbed(transactional_db, host, live_server, busy_service):
    send_with_sdk(host, live_server, busy_service, uuid.uuid4().hex)
    stored = json.dumps(ServerEvent.objects.get().event)
    for secret in ("hunter2", "alice@forge.example", "10.0.0.1", "key=abc"):
        assert secret not in stored
    assert "generate" in stored


# --- Without the SDK ----------------------------------------------------------------------------------------


def event_json(**values):
    return {"event_id": uuid.uuid4().hex, "message": "it broke", "platform": "python"} | values


def envelope_of(*items, **headers):
    lines = [json.dumps({"event_id": uuid.uuid4().hex} | headers).encode()]
    for kind, payload in items:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        lines += [json.dumps({"type": kind, "length": len(body)}).encode(), body]
    return b"\n".join(lines) + b"\n"


def auth(key):
    return {"x-sentry-auth": f"Sentry sentry_version=7, sentry_client=test/1, sentry_key={key}"}


def send(client, host, body, headers=None, kind="envelope", query=""):
    headers = auth(host.dsn_key) if headers is None else headers
    return client.post(
        f"/api/{host.pk}/{kind}/{query}", body, content_type="application/x-sentry-envelope", headers=headers
    )


def test_the_key_is_found_wherever_an_sdk_puts_it(client, host):
    body = envelope_of(("event", event_json()))
    with_dsn = envelope_of(("event", event_json()), dsn=host.dsn("http://ops.example"))
    assert send(client, host, body).status_code == 200
    assert send(client, host, envelope_of(("event", event_json())), {}, query=f"?sentry_key={host.dsn_key}")
    assert send(client, host, with_dsn, {}).status_code == 200
    assert ServerEvent.objects.filter(from_server=True).count() == 3


def test_what_comes_with_the_public_key_counts_as_a_visitors_word(client, host):
    assert send(client, host, envelope_of(("event", event_json())), auth(host.public_key)).status_code == 200
    assert ServerEvent.objects.get().from_server is False


@pytest.mark.parametrize("key", ["", "x", "pk_" + "0" * 32])
def test_a_wrong_key_is_refused(client, host, key):
    response = send(client, host, envelope_of(("event", event_json())), auth(key))
    assert (response.status_code, response.json()["error"]["code"]) == (401, "bad_key")
    assert not ServerEvent.objects.exists()


def test_another_hosts_key_and_an_unknown_host_are_refused_alike(client, host):
    other = Host.objects.create(name="Other", slug="other", base_url="http://o")
    wrong = send(client, host, envelope_of(("event", event_json())), auth(other.dsn_key))
    missing = client.post(
        "/api/999999/envelope/", b"{}\n", content_type="text/plain", headers=auth(host.dsn_key)
    )
    assert (
        (wrong.status_code, wrong.content) == (missing.status_code, missing.content) == (401, wrong.content)
    )


def test_a_killed_host_takes_no_events(client, host):
    Host.objects.update(killed=True)
    assert send(client, host, envelope_of(("event", event_json()))).status_code == 401


def test_the_older_endpoint_takes_one_event(client, host):
    event = event_json(trace=None, contexts={"trace": {"trace_id": "a" * 32}})
    response = send(client, host, json.dumps(event), kind="store")
    assert response.json() == {"id": event["event_id"]}
    assert ServerEvent.objects.get().trace_id == "a" * 32


def test_the_same_event_again_is_stored_once(client, host):
    body = envelope_of(("event", event_json()))
    assert send(client, host, body).json() == send(client, host, body).json()
    assert ServerEvent.objects.count() == 1


def test_other_items_are_accepted_and_counted(client, host):
    body = envelope_of(("session", {"sid": "1"}), ("transaction", {"spans": []}), ("session", b"anything"))
    assert send(client, host, body).status_code == 200
    counted = dict(IntakeCount.objects.values_list("name", "count"))
    assert counted == {"item.session": 2, "item.transaction": 1}
    assert not ServerEvent.objects.exists()


def test_types_that_nobody_knows_are_counted_under_one_name(client, host):
    for number in range(3):
        body = envelope_of(*[(f"made-up-{number}-{item}", {}) for item in range(20)], ("log", {}))
        assert send(client, host, body).status_code == 200
    assert dict(IntakeCount.objects.values_list("name", "count")) == {"item.other": 60, "item.log": 3}


@pytest.mark.parametrize("items", [[("session", {})], []], ids=["another item", "no item"])
def test_envelopes_without_events_are_limited_too(client, host, items):
    Host.objects.update(quota=1)
    answers = [send(client, host, envelope_of(*items)) for _ in range(20)]  # some refill while we post
    assert [answer.status_code for answer in answers[:10]] == [200] * 10
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 0 < int(refused[0]["Retry-After"]) <= 301


def test_other_items_leave_the_events_their_quota(client, host):
    Host.objects.update(quota=1)
    for _ in range(9):
        send(client, host, envelope_of(("session", {})))
    assert send(client, host, envelope_of(EVENT)).status_code == 200


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_envelopes_are_taken(client, host, encoding, pack):
    headers = auth(host.dsn_key) | {"content-encoding": encoding}
    assert send(client, host, pack(envelope_of(("event", event_json()))), headers).status_code == 200
    assert ServerEvent.objects.exists()


def test_a_retry_after_that_the_host_tells_completes_the_exchange(client, host):
    crumb = {
        "type": "http",
        "category": "httplib",
        "data": {"url": "http://model:9000/v1/generate", "http.method": "POST", "status_code": 429},
    }
    told = {"method": "POST", "host": "model:9000", "path": "/v1/generate", "status": 429, "retry_after": "2"}
    event = event_json(breadcrumbs={"values": [crumb]}, contexts={"upstream": told})
    send(client, host, envelope_of(("event", event)))
    (exchange,) = ServerEvent.objects.get().upstream
    assert (exchange["status"], exchange["retry_after"]) == (429, 2)


BOMB = gzip.compress(b"\n" * 200 * 1024 * 1024, 9)
EVENT = ("event", event_json())
REFUSED = {
    "a gzip bomb": (BOMB, {"content-encoding": "gzip"}, 413),
    "an expanded body that is too large": (
        gzip.compress(b" " * (8 * 1024 * 1024 + 1)),
        {"content-encoding": "gzip"},
        413,
    ),
    "a body that is too large": (b" " * (1024 * 1024 + 1), {}, 413),
    "gzip that is none": (b"plain", {"content-encoding": "gzip"}, 415),
    "gzip that ends early": (gzip.compress(envelope_of(EVENT))[:-12], {"content-encoding": "gzip"}, 415),
    "an unknown encoding": (b"x", {"content-encoding": "br"}, 415),
    "nothing": (b"", {}, 400),
    "a header that is no JSON": (b"hello\n", {}, 400),
    "a header that is a list": (b"[]\n", {}, 400),
    "a header without end": (b'{"x":"' + b"a" * 9000 + b'"}\n', {}, 400),
    "deep nesting": (b"{}\n" + b'{"type":"event"}\n' + b"[" * 100_000, {}, 400),
    "half a surrogate pair": (b'{}\n{"type":"event"}\n{"message":"\\ud800"}', {}, 400),
    "NUL": (b'{}\n{"type":"event"}\n{"message":"\\u0000"}', {}, 400),
    "NaN": (b'{}\n{"type":"event"}\n{"extra":NaN}', {}, 400),
    "an event that is a list": (b'{}\n{"type":"event"}\n[]', {}, 400),
    "an item without a type": (b"{}\n{}\n{}", {}, 400),
    "an item that is shorter than it says": (b'{}\n{"type":"event","length":99}\n{}', {}, 400),
    "an item of negative length": (b'{}\n{"type":"event","length":-1}\n{}', {}, 400),
    "an item whose length is a word": (b'{}\n{"type":"event","length":"9"}\n{}', {}, 400),
    "a hundred and one items": (envelope_of(*[("session", {})] * 101), {}, 400),
}


@pytest.mark.parametrize(("body", "headers", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(client, host, body, headers, status):
    response = send(client, host, body, auth(host.dsn_key) | headers)
    assert response.status_code == status, response.content
    assert response.json()["error"]["message"]
    assert not ServerEvent.objects.exists()


ODD = {
    "everything of another type": {
        "event_id": 5,
        "level": [],
        "release": {},
        "exception": "x",
        "breadcrumbs": 7,
        "request": [],
        "tags": 9,
        "contexts": "c",
        "user": 1,
        "logentry": [],
    },
    "lists of odd things": {
        "exception": {"values": [None, 1, {"stacktrace": {"frames": [None, {"lineno": "x"}]}}]},
        "breadcrumbs": [None, {"type": "http", "data": {"url": "http://[", "status_code": "x"}}],
        "tags": [["a", 1], ["b"], None, [1, 2, 3]],
    },
    "upstream of another type": {"contexts": {"upstream": {"host": 1, "path": [], "status": "1e999"}}},
    "ten thousand tags": {"tags": {str(n): "x" for n in range(10_000)}},
}


@pytest.mark.parametrize("event", ODD.values(), ids=ODD.keys())
def test_an_odd_event_is_stored_as_far_as_it_makes_sense(client, host, event):
    assert send(client, host, envelope_of(("event", event))).status_code == 200
    assert len(ServerEvent.objects.get().event["tags"]) <= 50


def test_too_many_events_are_refused_with_a_time_to_wait(client, host):
    Host.objects.update(quota=1)
    assert send(client, host, envelope_of(("event", event_json()))).status_code == 200
    response = send(client, host, envelope_of(("event", event_json())))
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 301
