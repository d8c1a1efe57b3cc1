"""What each operation takes and gives, and how it complains."""

import base64
import json
import logging

import pytest

from hostkit import (
    ActionCall,
    ActionResult,
    Clone,
    Cookie,
    Description,
    HostKit,
    HostKitError,
    Invariant,
    UnknownUser,
)
from hostkit.endpoints import answer
from hostkit.shapes import Request
from hostkit.signing import signed_headers

SECRET = "the-host-and-ops-share-this-secret"


def call(kit: HostKit, op: str, body: object):
    raw, path = json.dumps(body).encode(), f"/__kriptik__/v1/{op}"
    headers = {n.lower(): v for n, v in signed_headers(SECRET, method="POST", path=path, body=raw).items()}
    reply = answer(kit, Request("POST", path, headers, raw))
    return reply.status, json.loads(reply.body)


@pytest.fixture
def kit() -> HostKit:
    kit = HostKit(host="forge", secret=SECRET)

    @kit.describe
    def describe(user: str) -> Description:
        if user != "u1":
            raise UnknownUser(user)
        return Description("pro", "member", 1_700_000_000_000, {"balance": 50})

    @kit.clone
    def clone(user: str | None) -> Clone:
        return Clone(user or "generic", {"forge.db": b"\x00bytes"})

    @kit.login
    def login(user: str) -> list[Cookie]:
        return [Cookie("session", "secret-value")]

    @kit.action("double")
    def double(call: ActionCall) -> ActionResult:
        if call.user == "broken":
            raise ZeroDivisionError("a bug in the host")
        if call.args.get("by") == "x":
            raise HostKitError("invalid_field", "args.by must be a number.")
        return ActionResult(True, call.mode, {"balance": (1, 2)}, {"balance": 1})

    @kit.invariant("even")
    def even(user: str) -> Invariant:
        return Invariant(False, {"balance": 51})

    return kit


ACTION = {"name": "double", "user": "u1", "mode": "apply", "args": {}, "idempotency_key": "k1"}


def test_describe(kit):
    told = {
        "user": "u1",
        "plan": "pro",
        "role": "member",
        "created": 1_700_000_000_000,
        "facts": {"balance": 50},
    }
    assert call(kit, "describe", {"user": "u1"}) == (200, told)


@pytest.mark.parametrize(("asked", "given"), [("u1", "u1"), (None, "generic")])
def test_clone(kit, asked, given):
    files = {"forge.db": base64.b64encode(b"\x00bytes").decode()}
    assert call(kit, "clone", {"user": asked}) == (200, {"user": given, "files": files})


def test_login(kit):
    cookie = {"name": "session", "value": "secret-value", "path": "/", "httpOnly": True}
    assert call(kit, "login", {"user": "u1"}) == (200, {"cookies": [cookie]})


@pytest.mark.parametrize("mode", ["dry_run", "apply"])
def test_action(kit, mode):
    done = {"applicable": True, "reason": mode, "changed": {"balance": [1, 2]}, "undo": {"balance": 1}}
    assert call(kit, "action", {**ACTION, "mode": mode}) == (200, done)


def test_invariant(kit):
    judged = {"holds": False, "facts": {"balance": 51}}
    assert call(kit, "invariant", {"name": "even", "user": "u1"}) == (200, judged)


@pytest.mark.parametrize(
    ("op", "body", "status", "code"),
    [
        ("describe", {"user": "nobody"}, 404, "unknown_user"),
        ("describe", {}, 400, "invalid_field"),
        ("describe", {"user": 7}, 400, "invalid_field"),
        ("describe", {"user": ""}, 400, "invalid_field"),
        ("describe", {"user": "u" * 201}, 400, "invalid_field"),
        ("describe", ["u1"], 400, "bad_json"),
        ("clone", {}, 400, "invalid_field"),
        ("login", {"user": None}, 400, "invalid_field"),
        ("action", {**ACTION, "mode": "force"}, 400, "invalid_field"),
        ("action", {**ACTION, "mode": []}, 400, "invalid_field"),
        ("action", {**ACTION, "args": [1]}, 400, "invalid_field"),
        ("action", {**ACTION, "args": {"by": "x"}}, 400, "invalid_field"),
        ("action", {**ACTION, "idempotency_key": ""}, 400, "invalid_field"),
        ("action", {**ACTION, "name": "Drop Table"}, 400, "invalid_field"),
        ("action", {**ACTION, "name": "drop_table"}, 404, "unknown_action"),
        ("invariant", {"name": "odd", "user": "u1"}, 404, "unknown_invariant"),
    ],
)
def test_a_bad_call_is_refused_with_a_reason(kit, op, body, status, code):
    seen, told = call(kit, op, body)
    assert (seen, told["error"]["code"]) == (status, code)
    assert told["error"]["message"]


def test_a_bug_in_a_hook_is_logged_here_and_not_told_there(kit, caplog):
    with caplog.at_level(logging.ERROR, "hostkit"):
        status, told = call(kit, "action", {**ACTION, "user": "broken"})
    assert (status, told["error"]["code"]) == (500, "hook_failed")
    assert "a bug in the host" not in json.dumps(told)
    assert "ZeroDivisionError: a bug in the host" in caplog.text


def test_what_a_host_does_not_offer_is_said():
    status, told = call(HostKit(host="forge", secret=SECRET), "clone", {"user": "u1"})
    assert (status, told["error"]["code"]) == (501, "not_offered")


def test_without_a_secret_there_is_nothing_at_these_addresses(kit):
    kit.secret = ""
    assert call(kit, "describe", {"user": "u1"})[0] == 404
    assert answer(kit, Request("GET", "/__kriptik__/identity", {})).status == 404


def test_a_hook_is_registered_once(kit):
    with pytest.raises(ValueError, match="'double' has a hook already"):
        kit.action("double")(lambda call: ActionResult(False, ""))
