"""Which key an SDK names, in any of the three places where SDKs put it."""

import hmac
import re
from typing import Any
from urllib.parse import urlsplit

from core.errors import KriptikError
from incidents.models import Host

_PAIR = re.compile(r"sentry_key\s*=\s*([A-Za-z0-9_-]{1,64})")


class BadKey(KriptikError):
    code = "bad_key"
    status = 401


def key_of(header: str, query: str | None, envelope: dict[str, Any]) -> str | None:
    """From `X-Sentry-Auth`, `?sentry_key=`, or the DSN in the envelope's header; in this order."""
    match = _PAIR.search(header[:1000])
    if match:
        return match[1]
    if query:
        return query
    dsn = envelope.get("dsn")
    try:
        return urlsplit(dsn).username if isinstance(dsn, str) else None
    except ValueError:
        return None


def host_for(host_id: int, key: str | None) -> tuple[Host, bool]:
    """The host, and whether the key is the one that only its server knows.

    The browser's public key is taken too (a Sentry SDK may run there), but what comes with it counts as
    written by a visitor. Raises BadKey, the same for an unknown host and a wrong key.
    """
    host = Host.objects.filter(pk=host_id).first()
    if host is None or not key:
        raise BadKey("Unknown host or key: copy the DSN from the console again.")
    if hmac.compare_digest(key.encode(), host.dsn_key.encode()):
        trusted = True
    elif hmac.compare_digest(key.encode(), host.public_key.encode()):
        trusted = False
    else:
        raise BadKey("Unknown host or key: copy the DSN from the console again.")
    if host.killed:
        raise BadKey("This host is switched off in the console; it takes no events.")
    return host, trusted
