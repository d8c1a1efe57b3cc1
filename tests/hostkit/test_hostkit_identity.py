"""Who the user is: the token the browser carries to Ops, and the cookie that outlives a broken session."""

import json
import time

import jwt
import pytest
from werkzeug.datastructures import Headers

from hostkit import HostKit, forget, identity_token, remember
from hostkit.endpoints import answer
from hostkit.errors import IdentityRefused
from hostkit.identity import identity_claims, remember_token
from hostkit.shapes import Request

SECRET = "the-host-and-ops-share-this-secret".ljust(64, "!")


@pytest.fixture
def kit() -> HostKit:
    kit = HostKit(host="forge", secret=SECRET)
    kit.current_user(lambda request: request.cookies.get("session"))
    kit.claims(lambda user: {"plan": "pro"})
    return kit


def ask(kit: HostKit, cookie: str = "", method: str = "GET"):
    reply = answer(kit, Request(method, "/__kriptik__/identity", {"cookie": cookie} if cookie else {}))
    return reply.status, json.loads(reply.body)


def test_a_token_says_who_for_whom_and_how_long():
    before = int(time.time())
    claims = jwt.decode(
        identity_token(SECRET, "forge", "u1", plan="pro"), SECRET, algorithms=["HS256"], audience="forge"
    )
    assert (claims["sub"], claims["aud"], claims["plan"]) == ("u1", "forge", "pro")
    assert claims["exp"] - claims["iat"] == 900
    assert before <= claims["iat"] <= time.time()


def test_no_two_tokens_share_their_id():
    tokens = [identity_token(SECRET, "forge", "u1") for _ in range(2)]
    first, second = (identity_claims(SECRET, "forge", token)["jti"] for token in tokens)
    assert first != second


@pytest.mark.parametrize("ttl_s", [0, -1, 901])
def test_a_token_lives_fifteen_minutes_at_most(ttl_s):
    with pytest.raises(ValueError, match="between 1 and 900"):
        identity_token(SECRET, "forge", "u1", ttl_s)


def test_a_claim_cannot_overwrite_who_it_is_for():
    with pytest.raises(ValueError, match="aud"):
        identity_token(SECRET, "forge", "u1", aud="another")


def forged(**changes):
    now = int(time.time())
    claims = {"sub": "u1", "aud": "forge", "iat": now, "exp": now + 60, "jti": "x", **changes}
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.parametrize(
    "token",
    [
        identity_token("another-secret-that-is-long-enough", "forge", "u1"),
        identity_token(SECRET, "another-host", "u1"),
        identity_token(SECRET, "forge", "u1", 60, lambda: time.time() - 61),
        jwt.encode(forged(), "", algorithm="none"),
        jwt.encode(forged(), SECRET, algorithm="HS512"),
        jwt.encode(forged(exp=int(time.time()) + 901), SECRET, algorithm="HS256"),
        jwt.encode(forged(exp=None), SECRET, algorithm="HS256"),
        jwt.encode(forged(jti=None), SECRET, algorithm="HS256"),
        remember_token(SECRET, "forge", "u1"),
        "not.a.token",
        "",
    ],
    ids=[
        "secret",
        "audience",
        "expired",
        "alg none",
        "alg",
        "too long",
        "no exp",
        "no jti",
        "cookie",
        "text",
        "none",
    ],
)
def test_any_other_token_is_refused(token):
    with pytest.raises(IdentityRefused):
        identity_claims(SECRET, "forge", token)


def test_a_logged_in_user_gets_an_identity(kit):
    status, body = ask(kit, "session=u1")
    assert status == 200
    claims = identity_claims(SECRET, "forge", body["token"])
    assert (claims["sub"], claims["plan"]) == ("u1", "pro")


def test_a_stranger_gets_none(kit):
    status, body = ask(kit)
    assert (status, body["error"]["code"]) == (401, "anonymous")


def test_the_identity_is_only_read(kit):
    assert ask(kit, "session=u1", method="POST")[0] == 405


@pytest.mark.parametrize("kind", ["werkzeug", "list"])
def test_a_user_whose_session_broke_is_still_known(kit, kind):
    headers = Headers() if kind == "werkzeug" else []
    kit.remember(headers, "u1")
    ((name, cookie),) = list(headers)
    assert name == "Set-Cookie"
    assert {"HttpOnly", "SameSite=Lax", "Path=/__kriptik__/"} <= set(cookie.split("; "))
    _, body = ask(kit, cookie.split(";")[0])
    assert identity_claims(SECRET, "forge", body["token"])["sub"] == "u1"


def test_the_session_goes_before_the_memory(kit):
    _, body = ask(kit, f"session=u2; kriptik_identity={remember_token(SECRET, 'forge', 'u1')}")
    assert identity_claims(SECRET, "forge", body["token"])["sub"] == "u2"


@pytest.mark.parametrize(
    "value",
    [
        remember_token("another-secret-that-is-long-enough", "forge", "u1"),
        remember_token(SECRET, "another-host", "u1"),
        remember_token(SECRET, "forge", "u1", lambda: time.time() - 13 * 3600),
        identity_token(SECRET, "forge", "u1"),
        "u1",
    ],
    ids=["secret", "host", "old", "identity", "text"],
)
def test_a_forged_or_old_memory_says_nothing(kit, value):
    assert ask(kit, f"kriptik_identity={value}")[0] == 401


def test_logging_out_forgets():
    headers: list[tuple[str, str]] = []
    forget(headers)
    assert "Max-Age=0" in headers[0][1]


def test_nothing_is_remembered_without_ops(monkeypatch):
    headers: list[tuple[str, str]] = []
    monkeypatch.delenv("KRIPTIK_SECRET", raising=False)
    remember(headers, "u1")
    assert headers == []
    monkeypatch.setenv("KRIPTIK_SECRET", SECRET)
    monkeypatch.setenv("KRIPTIK_HOST", "forge")
    remember(headers, "u1")
    assert len(headers) == 1
