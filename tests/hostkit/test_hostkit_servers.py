"""Both middlewares behind HTTP, called by HostClient as Ops does."""

import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest

from hostkit import Clone, Description, HostKit, UnknownUser
from hostkit.asgi import KriptikMiddleware as AsgiMiddleware
from hostkit.client import HostClient, clone_files
from hostkit.endpoints import MAX_BODY_BYTES
from hostkit.errors import HostAnswerError, HostUnreachable
from hostkit.signing import signed_headers
from hostkit.wsgi import KriptikMiddleware as WsgiMiddleware

SECRET = "the-host-and-ops-share-this-secret"
DESCRIBE = "/__kriptik__/v1/describe"


@pytest.fixture
def kit() -> HostKit:
    kit = HostKit(host="forge", secret=SECRET)
    kit.current_user(lambda request: request.cookies.get("session"))

    @kit.describe
    def describe(user: str) -> Description:
        if user != "u1":
            raise UnknownUser(user)
        return Description(plan="pro", facts={"balance": 50})

    kit.clone(lambda user: Clone(user or "generic", {"forge.db": b"\x00\xff"}))
    return kit


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def wsgi_url(kit: HostKit) -> Iterator[str]:
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"the application: " + environ["PATH_INFO"].encode()]

    server = make_server("127.0.0.1", 0, WsgiMiddleware(app, kit), handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def asgi_app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the application: " + scope["path"].encode()})


def signed(body: bytes) -> dict[str, str]:
    return signed_headers(SECRET, method="POST", path=DESCRIBE, body=body)


def test_ops_calls_a_wsgi_host(wsgi_url):
    with HostClient(wsgi_url, SECRET) as client:
        assert client.describe("u1")["facts"] == {"balance": 50}
        assert client.describe("u1")["plan"] == "pro", "each call signs anew"
        reply = client.clone(None)
    assert (reply["user"], clone_files(reply)) == ("generic", {"forge.db": b"\x00\xff"})


def test_a_refusal_reaches_ops_with_its_code(wsgi_url):
    with HostClient(wsgi_url, SECRET) as client, pytest.raises(HostAnswerError) as refused:
        client.describe("nobody")
    assert (refused.value.status, refused.value.code) == (404, "unknown_user")


def test_a_wrong_secret_is_refused_over_http(wsgi_url):
    with HostClient(wsgi_url, "w" * 32) as client, pytest.raises(HostAnswerError) as refused:
        client.describe("u1")
    assert (refused.value.status, refused.value.code) == (401, "bad_signature")


def test_a_host_that_is_down_is_told_apart_from_one_that_refuses(wsgi_url):
    with HostClient("http://127.0.0.1:1", SECRET) as client, pytest.raises(HostUnreachable, match="describe"):
        client.describe("u1")


def test_everything_else_reaches_the_wsgi_application(wsgi_url):
    assert httpx.get(f"{wsgi_url}/studio").text == "the application: /studio"
    assert httpx.get(f"{wsgi_url}/__kriptik__/identity", cookies={"session": "u1"}).status_code == 200


def test_a_body_that_is_too_large_is_refused_unread(wsgi_url):
    answer = httpx.post(wsgi_url + DESCRIBE, content=b"x" * (MAX_BODY_BYTES + 1), headers=signed(b""))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_chunked_body_is_not_taken_for_an_empty_one_that_was_signed(wsgi_url):
    answer = httpx.post(
        wsgi_url + DESCRIBE, content=iter([b'{"user":"u1"}']), headers=signed(b'{"user":"u1"}')
    )
    assert answer.status_code == 401


@pytest.fixture
def asgi(kit: HostKit) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(AsgiMiddleware(asgi_app, kit)), base_url="http://testserver"
    )


async def test_an_asgi_host_answers_ops(asgi):
    body = b'{"user":"u1"}'
    answer = await asgi.post(DESCRIBE, content=body, headers=signed(body))
    assert (answer.status_code, answer.json()["facts"]) == (200, {"balance": 50})
    assert answer.headers["cache-control"] == "no-store"


async def test_an_asgi_host_refuses_an_altered_body(asgi):
    answer = await asgi.post(DESCRIBE, content=b'{"user":"u2"}', headers=signed(b'{"user":"u1"}'))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_signature")


async def test_an_asgi_host_takes_a_body_in_parts_and_refuses_one_that_is_too_large(asgi):
    async def parts():
        yield b'{"user":'
        yield b'"u1"}'

    async def endless():
        for _ in range(20):
            yield b"x" * (MAX_BODY_BYTES // 10)

    assert (await asgi.post(DESCRIBE, content=parts(), headers=signed(b'{"user":"u1"}'))).status_code == 200
    assert (await asgi.post(DESCRIBE, content=endless(), headers=signed(b""))).status_code == 413


async def test_everything_else_reaches_the_asgi_application(asgi):
    assert (await asgi.get("/studio")).text == "the application: /studio"
    identity = await asgi.get("/__kriptik__/identity", headers={"cookie": "session=u1"})
    assert identity.status_code == 200


def client_answering(response: httpx.Response) -> HostClient:
    http = httpx.Client(transport=httpx.MockTransport(lambda request: response))
    return HostClient("http://host.test", SECRET, http=http)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"user": "u1"}),
        httpx.Response(200, json=["u1"]),
        httpx.Response(302, headers={"location": "http://elsewhere.test/"}),
        httpx.Response(502, text="Bad gateway"),
        httpx.Response(500, json={"error": "boom"}),
    ],
    ids=["html", "fields missing", "list", "redirect", "gateway", "odd error"],
)
def test_an_answer_outside_the_contract_is_an_error_and_never_a_result(response):
    with client_answering(response) as client, pytest.raises(HostAnswerError) as refused:
        client.describe("u1")
    assert refused.value.code == "bad_answer"


DESCRIBED = {"user": "u1", "plan": "pro", "role": "member", "created": None, "facts": {}}
CLONED = {"user": "u1", "files": {"forge.db": ""}}
COOKIE = {"name": "session", "value": "v", "path": "/", "httpOnly": True}
ACTED = {"applicable": True, "reason": "", "changed": {"balance": [1, 2]}, "undo": {"balance": 1}}
JUDGED = {"holds": False, "facts": {}}
ASK = {
    "describe": lambda client: client.describe("u1"),
    "clone": lambda client: client.clone("u1"),
    "login": lambda client: client.login("u1"),
    "action": lambda client: client.action("double", "u1", mode="apply", idempotency_key="k1"),
    "invariant": lambda client: client.invariant("even", "u1"),
}


@pytest.mark.parametrize(
    ("op", "told"),
    [
        ("describe", DESCRIBED),
        ("describe", {**DESCRIBED, "created": 1_700_000_000_000}),
        ("clone", CLONED),
        ("login", {"cookies": [COOKIE]}),
        ("login", {"cookies": []}),
        ("action", ACTED),
        ("action", {**ACTED, "undo": None, "of a later version": 1}),
        ("invariant", JUDGED),
    ],
)
def test_an_answer_within_the_contract_comes_back_as_it_was(op, told):
    with client_answering(httpx.Response(200, json=told)) as client:
        assert ASK[op](client) == told


@pytest.mark.parametrize(
    ("op", "told", "complaint"),
    [
        ("describe", {**DESCRIBED, "user": 7}, "'user' must be a string, not a number"),
        ("describe", {**DESCRIBED, "plan": None}, "'plan' must be a string, not null"),
        ("describe", {**DESCRIBED, "created": "today"}, "'created' must be a whole number or null"),
        ("describe", {**DESCRIBED, "created": True}, "'created' must be a whole number or null"),
        ("describe", {**DESCRIBED, "facts": []}, "'facts' must be an object, not a list"),
        ("clone", {**CLONED, "files": ["forge.db"]}, "'files' must be an object, not a list"),
        ("clone", {**CLONED, "files": {"forge.db": 7}}, "'files.forge.db' must be a string, not a number"),
        ("login", {"cookies": {}}, "'cookies' must be a list, not an object"),
        ("login", {"cookies": ["session=v"]}, "'cookies.0' must be an object, not a string"),
        ("login", {"cookies": [{"name": "session"}]}, "'cookies.0' must have httpOnly, name, path, value"),
        ("login", {"cookies": [{**COOKIE, "httpOnly": 1}]}, "'cookies.0.httpOnly' must be true or false"),
        ("action", {**ACTED, "applicable": "false"}, "'applicable' must be true or false, not a string"),
        ("action", {**ACTED, "changed": []}, "'changed' must be an object, not a list"),
        ("action", {**ACTED, "changed": {"balance": 2}}, "'changed.balance' must be a list, not a number"),
        ("action", {**ACTED, "undo": "balance"}, "'undo' must be an object or null, not a string"),
        ("invariant", {**JUDGED, "holds": "false"}, "'holds' must be true or false, not a string"),
        ("invariant", {"holds": True}, "the answer must have facts, holds"),
    ],
)
def test_a_field_of_another_type_is_an_error_that_names_it(op, told, complaint):
    with client_answering(httpx.Response(200, json=told)) as client, pytest.raises(HostAnswerError) as odd:
        ASK[op](client)
    assert (odd.value.status, odd.value.code) == (200, "bad_answer")
    assert complaint in odd.value.message


@pytest.mark.parametrize(
    "files", [{"../forge.db": ""}, {"a/b": ""}, {"": ""}, {"forge.db": "not base64!"}, {"forge.db": "é"}]
)
def test_a_clone_with_odd_files_is_refused(files):
    with pytest.raises(HostAnswerError):
        clone_files({"user": "u1", "files": files})


def test_only_http_addresses_are_called():
    with pytest.raises(ValueError, match="http"):
        HostClient("file:///etc", SECRET)
