"""Signed requests from Ops to a host: docs/host-contract.md, section "Signature"."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping

from hostkit.errors import RequestRefused
from hostkit.nonces import NonceStore

WINDOW_S = 300
TIMESTAMP_HEADER = "Kriptik-Timestamp"
NONCE_HEADER = "Kriptik-Nonce"
SIGNATURE_HEADER = "Kriptik-Signature"

# Upper bounds keep a caller from making us store or parse something huge before the signature is checked.
_NONCE = re.compile(r"[0-9a-f]{16,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def signature(secret: str, *, timestamp: str, nonce: str, method: str, path: str, body: bytes) -> str:
    """`v1=` + hex HMAC-SHA256 over `timestamp.nonce.METHOD.path.sha256hex(body)`."""
    digest = hashlib.sha256(body).hexdigest()
    message = f"{timestamp}.{nonce}.{method.upper()}.{path}.{digest}"
    return "v1=" + hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def signed_headers(
    secret: str, *, method: str, path: str, body: bytes, clock: Callable[[], float] = time.time
) -> dict[str, str]:
    """The three headers for one request; a fresh nonce each time, so a retry must be signed anew."""
    timestamp, nonce = str(int(clock())), secrets.token_hex(16)
    signed = signature(secret, timestamp=timestamp, nonce=nonce, method=method, path=path, body=body)
    return {TIMESTAMP_HEADER: timestamp, NONCE_HEADER: nonce, SIGNATURE_HEADER: signed}


def verify(
    secret: str,
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    nonces: NonceStore,
    clock: Callable[[], float] = time.time,
) -> None:
    """Return when the request was signed with `secret` just now and never seen; else raise RequestRefused.

    `headers` has lower-case names. The nonce is used up last: an unsigned request can't fill the store,
    nor burn a nonce that the real sender is about to use.
    """
    timestamp = _header(headers, TIMESTAMP_HEADER)
    nonce = _header(headers, NONCE_HEADER)
    given = _header(headers, SIGNATURE_HEADER)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise RequestRefused("bad_timestamp", f"{TIMESTAMP_HEADER} must be whole seconds since the epoch.")
    if not _NONCE.fullmatch(nonce):
        raise RequestRefused("bad_nonce", f"{NONCE_HEADER} must be 16 to 128 lower-case hex digits.")
    now = clock()
    if abs(now - int(timestamp)) > WINDOW_S:
        raise RequestRefused(
            "stale_timestamp", f"{TIMESTAMP_HEADER} is more than {WINDOW_S} s from this host's clock."
        )
    expected = signature(secret, timestamp=timestamp, nonce=nonce, method=method, path=path, body=body)
    # Compared as bytes: compare_digest raises on non-ASCII text, which a header may well hold.
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise RequestRefused(
            "bad_signature", "The signature doesn't match this method, path, body and secret."
        )
    # A timestamp may lie up to one window ahead, so its nonce must be kept for two.
    if not nonces.use(nonce, now=now, keep_s=2 * WINDOW_S):
        raise RequestRefused("replayed_nonce", "This nonce was used before; sign each request anew.")


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower(), "")
    if not value:
        raise RequestRefused("missing_header", f"The header {name} is missing.")
    return value
