"""Who the user is, said by the host in a signed token (HS256, at most 15 minutes)."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import jwt

from hostkit.errors import IdentityRefused

MAX_TTL_S = 900
REMEMBER_COOKIE = "kriptik_identity"
REMEMBER_S = 12 * 3600

_RESERVED = {"sub", "aud", "exp", "iat", "jti", "nbf", "iss"}


def identity_token(
    secret: str,
    host: str,
    sub: str,
    ttl_s: int = MAX_TTL_S,
    clock: Callable[[], float] = time.time,
    **claims: Any,
) -> str:
    """JWT with sub, aud=host slug, iat, exp, jti and the optional claims (plan, role).

    Raises ValueError for a lifetime over 15 minutes or a claim that would overwrite a standard one.
    """
    if not 0 < ttl_s <= MAX_TTL_S:
        raise ValueError(f"ttl_s must be between 1 and {MAX_TTL_S} seconds, not {ttl_s}")
    if taken := _RESERVED & claims.keys():
        raise ValueError(f"these claims are set by identity_token itself: {', '.join(sorted(taken))}")
    return _encode(secret, audience=host, sub=sub, ttl_s=ttl_s, now=clock(), claims=claims)


def identity_claims(secret: str, host: str, token: str) -> dict[str, Any]:
    """The claims of a valid identity token; raises IdentityRefused for any other."""
    claims = _decode(secret, audience=host, token=token)
    if claims["exp"] - claims["iat"] > MAX_TTL_S:
        raise IdentityRefused(f"An identity may live at most {MAX_TTL_S} seconds.")
    return claims


def remember_token(secret: str, host: str, user: str, clock: Callable[[], float] = time.time) -> str:
    """Value of the `kriptik_identity` cookie. Its audience differs: it never passes as an identity."""
    return _encode(
        secret, audience=_remember_audience(host), sub=user, ttl_s=REMEMBER_S, now=clock(), claims={}
    )


def remembered_user(secret: str, host: str, token: str) -> str | None:
    """The user whose password was verified in this browser, or None when the cookie isn't ours or is old."""
    try:
        claims = _decode(secret, audience=_remember_audience(host), token=token)
    except IdentityRefused:
        return None
    return str(claims["sub"])


def remember(
    response_headers: Any,
    user: str,
    *,
    secret: str | None = None,
    host: str | None = None,
    secure: bool = False,
) -> None:
    """Set the `kriptik_identity` cookie. Call it exactly where a password (or second factor) was verified.

    With it `/__kriptik__/identity` still answers while the application's own session is broken: a user who
    can't stay logged in is the one who needs help most. `response_headers` has `add(name, value)` (Werkzeug,
    Flask) or `append(name, value)` (Starlette), or is a plain list of pairs. Secret and host default to
    KRIPTIK_SECRET and KRIPTIK_HOST; without a secret no Ops is connected, and nothing is set.
    """
    secret = os.environ.get("KRIPTIK_SECRET", "") if secret is None else secret
    host = os.environ.get("KRIPTIK_HOST", "") if host is None else host
    if secret and host:
        _set_cookie(response_headers, remember_token(secret, host, user), REMEMBER_S, secure)


def forget(response_headers: Any, *, secure: bool = False) -> None:
    """Delete the cookie again. Call it where the user logs out."""
    _set_cookie(response_headers, "", 0, secure)


def _remember_audience(host: str) -> str:
    return f"{host}#remember"


def _encode(secret: str, *, audience: str, sub: str, ttl_s: int, now: float, claims: dict[str, Any]) -> str:
    issued = int(now)
    standard = {
        "sub": sub,
        "aud": audience,
        "iat": issued,
        "exp": issued + ttl_s,
        "jti": secrets.token_hex(8),
    }
    return jwt.encode({**claims, **standard}, secret, algorithm="HS256")


def _decode(secret: str, *, audience: str, token: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=audience,
            options={"require": ["sub", "aud", "exp", "iat", "jti"]},
        )
    except jwt.InvalidTokenError as error:
        raise IdentityRefused(f"The token was refused: {error}.") from error
    return claims


def _set_cookie(response_headers: Any, value: str, max_age: int, secure: bool) -> None:
    cookie: SimpleCookie = SimpleCookie()
    cookie[REMEMBER_COOKIE] = value
    morsel = cookie[REMEMBER_COOKIE]
    morsel["path"] = "/__kriptik__/"
    morsel["max-age"] = max_age
    morsel["httponly"] = True
    morsel["samesite"] = "Lax"
    morsel["secure"] = secure
    header = ("Set-Cookie", morsel.OutputString())
    if isinstance(response_headers, list):
        response_headers.append(header)
    elif hasattr(response_headers, "add"):
        response_headers.add(*header)
    else:
        response_headers.append(*header)
