"""A host obeys only requests that Ops signed just now: one row per way to get it wrong."""

import json
from pathlib import Path

import pytest

from hostkit import HostKit, Invariant, MemoryNonceStore, SqliteNonceStore
from hostkit.endpoints import answer
from hostkit.shapes import Request
from hostkit.signing import WINDOW_S, signature

SECRET = "the-host-and-ops-share-this-secret"
NOW = 1_790_000_000
PATH = "/__kriptik__/v1/invariant"
BODY = b'{"name": "holds", "user": "u1"}'
NONCE = "0123456789abcdef"


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def kit(asked: list[str]) -> HostKit:
    kit = HostKit(host="forge", secret=SECRET, clock=lambda: NOW)

    @kit.invariant("holds")
    def holds(user: str) -> Invariant:
        asked.append(user)
        return Invariant(True, {"balance": 50})

    return kit


def signed(*, secret: str = SECRET, at: int = NOW, nonce: str = NONCE, path: str = PATH, body: bytes = BODY):
    value = signature(secret, timestamp=str(at), nonce=nonce, method="POST", path=path, body=body)
    return {"kriptik-timestamp": str(at), "kriptik-nonce": nonce, "kriptik-signature": value}


def send(
    kit: HostKit, headers: dict[str, str], *, method: str = "POST", path: str = PATH, body: bytes = BODY
):
    reply = answer(kit, Request(method, path, headers, body))
    return reply.status, json.loads(reply.body)


def refusal(kit: HostKit, headers: dict[str, str], **request) -> tuple[int, str]:
    status, body = send(kit, headers, **request)
    assert body["error"]["message"]
    return status, body["error"]["code"]


def test_a_signed_request_is_answered(kit, asked):
    assert send(kit, signed()) == (200, {"holds": True, "facts": {"balance": 50}})
    assert asked == ["u1"]


def test_the_signature_is_the_one_of_the_contract():
    """Computed with openssl, as in docs/host-contract.md, so that other languages agree with us."""
    value = signature(
        "whsec_example",
        timestamp="1790000000",
        nonce="00112233445566778899aabbccddeeff",
        method="POST",
        path="/__kriptik__/v1/describe",
        body=b'{"user":"u1"}',
    )
    assert value == "v1=d3f533138928d67d400a1e5bf7649367ed1d6d2f89e697c26fc04fd1d3887857"


@pytest.mark.parametrize("seconds", [-WINDOW_S, WINDOW_S])
def test_a_clock_that_differs_by_the_whole_window_is_tolerated(kit, seconds):
    assert send(kit, signed(at=NOW + seconds))[0] == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (signed(secret="another-secret-of-the-same-length"), "bad_signature"),
        (signed(path="/__kriptik__/v1/login"), "bad_signature"),
        ({**signed(), "kriptik-signature": "v1=é"}, "bad_signature"),
        (
            {**signed(), "kriptik-signature": signed()["kriptik-signature"].removeprefix("v1=")},
            "bad_signature",
        ),
        ({**signed(), "kriptik-timestamp": str(NOW + 1)}, "bad_signature"),
        ({**signed(), "kriptik-nonce": "fedcba9876543210"}, "bad_signature"),
        (signed(at=NOW - WINDOW_S - 1), "stale_timestamp"),
        (signed(at=NOW + WINDOW_S + 1), "stale_timestamp"),
        ({**signed(), "kriptik-timestamp": "yesterday"}, "bad_timestamp"),
        ({**signed(), "kriptik-timestamp": f"{NOW}.5"}, "bad_timestamp"),
        (signed(nonce="0123456789abcde"), "bad_nonce"),
        (signed(nonce="0123456789ABCDEF"), "bad_nonce"),
        (signed(nonce="a" * 129), "bad_nonce"),
        ({name: value for name, value in signed().items() if name != "kriptik-timestamp"}, "missing_header"),
        ({name: value for name, value in signed().items() if name != "kriptik-nonce"}, "missing_header"),
        ({name: value for name, value in signed().items() if name != "kriptik-signature"}, "missing_header"),
    ],
)
def test_anything_else_is_refused_before_the_hook_is_asked(kit, asked, headers, code):
    assert refusal(kit, headers) == (401, code)
    assert asked == []


def test_an_altered_body_is_refused(kit, asked):
    assert refusal(kit, signed(), body=BODY.replace(b"u1", b"u2")) == (401, "bad_signature")
    assert asked == []


def test_a_request_counts_once(kit, asked):
    assert send(kit, signed())[0] == 200
    assert refusal(kit, signed()) == (401, "replayed_nonce")
    assert asked == ["u1"]


def test_a_forged_request_does_not_use_up_the_nonce_of_the_real_one(kit):
    assert refusal(kit, signed(secret="not-the-secret-but-just-as-long!!")) == (401, "bad_signature")
    assert send(kit, signed())[0] == 200


def test_a_request_signed_ahead_of_our_clock_cannot_come_again_when_the_clock_has_caught_up(asked):
    now = [NOW]
    kit = HostKit(host="forge", secret=SECRET, clock=lambda: now[0])
    kit.invariant("holds")(lambda user: Invariant(True))
    ahead = signed(at=NOW + WINDOW_S)
    assert send(kit, ahead)[0] == 200
    now[0] = NOW + 2 * WINDOW_S - 1
    assert refusal(kit, ahead) == (401, "replayed_nonce")


def test_an_unknown_operation_is_refused_only_to_ops(kit):
    path = "/__kriptik__/v1/shell"
    assert refusal(kit, signed(), path=path) == (401, "bad_signature")
    assert refusal(kit, signed(path=path), path=path) == (404, "unknown_op")


def test_a_get_is_refused(kit):
    assert refusal(kit, signed(), method="GET") == (405, "method_not_allowed")


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_nonce_store_forgets_what_has_run_out(store, tmp_path: Path):
    nonces = MemoryNonceStore() if store == "memory" else SqliteNonceStore(tmp_path / "nonces.db")
    assert nonces.use("a", now=0, keep_s=10)
    assert not nonces.use("a", now=9, keep_s=10)
    assert nonces.use("a", now=10, keep_s=10)


def test_two_processes_of_a_host_share_their_nonces(tmp_path: Path):
    first, second = SqliteNonceStore(tmp_path / "nonces.db"), SqliteNonceStore(tmp_path / "nonces.db")
    assert first.use("a", now=0, keep_s=10)
    assert not second.use("a", now=1, keep_s=10)
