"""Who a browser speaks for: a token signed by the host, and the capability of a visit.

The public key says only which host is meant. A report counts as a user's when the host's own server signed
that user's name (HS256 with the host's secret, at most 15 minutes old); otherwise it is a visitor's.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from core import ids
from incidents.models import Host
from incidents.wire import FrameRefused

MAX_LIFE = timedelta(minutes=15)
LEEWAY = timedelta(seconds=30)  # clocks of two machines differ
CLAIMS = ("plan", "role")


@dataclass(frozen=True)
class Identity:
    """A user as the host vouches for them, until `expires`."""

    user: str
    expires: datetime
    claims: dict[str, Any] = field(default_factory=dict)


def identity_verify(host: Host, token: str) -> Identity:
    """The identity in a token; raises FrameRefused(bad_identity) for every token that does not hold.

    Only HS256 is tried, whatever the token's header wants: "none" and RS256 (where the public key would
    become the secret) are the classic forgeries.
    """
    try:
        claims = jwt.decode(
            token,
            host.secret,
            algorithms=["HS256"],
            audience=host.slug,
            leeway=LEEWAY,
            options={"require": ["sub", "aud", "exp", "iat", "jti"]},
        )
        life = timedelta(seconds=float(claims["exp"]) - float(claims["iat"]))
        user = claims["sub"]
        expires = datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (jwt.InvalidTokenError, TypeError, ValueError, OverflowError, OSError) as error:
        raise FrameRefused("bad_identity", f"The identity was refused: {str(error)[:120]}.") from error
    if life > MAX_LIFE:
        raise FrameRefused("bad_identity", "The identity was refused: it lives longer than 15 minutes.")
    if not isinstance(user, str) or not 0 < len(user) <= 200 or not user.isprintable():
        raise FrameRefused(
            "bad_identity", "The identity was refused: `sub` is a text of 1 to 200 characters."
        )
    known = {name: claims[name] for name in CLAIMS if isinstance(claims.get(name), str)}
    return Identity(user, expires, {name: value[:80] for name, value in known.items()})


def capability_new() -> str:
    """The secret of a new visit: 256 random bits."""
    return ids.new_secret()


def capability_hash(capability: str) -> str:
    """What we keep of it. A plain hash is enough for a random value: there is nothing to guess."""
    return hashlib.sha256(capability.encode("utf-8", "surrogatepass")).hexdigest()


def user_subject(host: Host, user: str) -> str:
    return f"host:{host.pk}:user:{user}"
