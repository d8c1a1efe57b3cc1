"""The little HTTP that the runner itself speaks to the host: health and login. No client library inside."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

MAX_ANSWER = 1024 * 1024


class LoginRefused(Exception):
    """The host did not mint a login for the cloned account."""


async def request(
    port: int,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] = {},
    body: bytes = b"",
    timeout: float = 10,
) -> tuple[int, bytes]:
    """Status and body of one request to 127.0.0.1. Raises OSError, TimeoutError or ValueError."""
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            lines = [f"{method} {path} HTTP/1.0", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await writer.drain()
            answer = await reader.read(MAX_ANSWER)
            while len(answer) < MAX_ANSWER and (more := await reader.read(MAX_ANSWER - len(answer))):
                answer += more
        finally:
            writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[1][:3].isdigit():
        raise ValueError("the answer is not HTTP")
    return int(words[1][:3]), content


def signed_headers(secret: str, method: str, path: str, body: bytes) -> dict[str, str]:
    """Signature of the host contract: HMAC-SHA256 over timestamp, nonce, method, path and the body's hash."""
    timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
    message = f"{timestamp}.{nonce}.{method}.{path}.{hashlib.sha256(body).hexdigest()}"
    signature = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return {
        "Kriptik-Timestamp": timestamp,
        "Kriptik-Nonce": nonce,
        "Kriptik-Signature": f"v1={signature}",
        "Content-Type": "application/json",
    }


async def login_cookies(port: int, secret: str, user: str) -> list[dict[str, Any]]:
    """Cookies for a browser context. Raises LoginRefused."""
    path, body = "/__kriptik__/v1/login", json.dumps({"user": user}).encode()
    try:
        status, answer = await request(
            port, "POST", path, headers=signed_headers(secret, "POST", path, body), body=body
        )
        told = json.loads(answer) if status == 200 else None
    except (OSError, TimeoutError, ValueError) as failure:
        raise LoginRefused(f"the host's login call failed: {type(failure).__name__}") from failure
    if told is None:
        raise LoginRefused(f"the host answered {status} to the login call")
    try:
        return [
            {
                "name": str(cookie["name"]),
                "value": str(cookie["value"]),
                "url": f"http://127.0.0.1:{port}{cookie.get('path') or '/'}",
                "httpOnly": bool(cookie.get("httpOnly", True)),
            }
            for cookie in told["cookies"]
        ]
    except (KeyError, TypeError, AttributeError) as failure:
        raise LoginRefused("the host's login answer has no cookies of the documented form") from failure
