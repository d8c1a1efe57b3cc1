"""Asking a feed's server politely: only for what is new, through the one gate for outgoing HTTP."""

from dataclasses import dataclass
from urllib.parse import urljoin

import httpx
from django.conf import settings

from core import safe_http
from core.errors import KriptikError, Retriable

MAX_BYTES = 5 * 1024 * 1024
TIMEOUT_S = 15.0
MAX_REDIRECTS = 3
_MOVED = {301, 302, 303, 307, 308}


class FetchFailed(Retriable):
    """The source did not give us anything to read; the message says why, for the owner."""

    code = "fetch_failed"


@dataclass(frozen=True)
class Fetched:
    """`body` is None when the server said that nothing changed since the etag or date we sent."""

    body: bytes | None
    etag: str
    last_modified: str


def fetch_changed(url: str, *, etag: str = "", last_modified: str = "") -> Fetched:
    """Gets `url` if it changed. Raises FetchFailed; cost: at most five megabytes."""
    headers = {
        "User-Agent": f"KripTikOps/1 (+{settings.PUBLIC_URL})",
        "Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1",
    }
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    response = _get(url, headers)
    if response.status_code == 304:
        return Fetched(None, etag, last_modified)
    if response.status_code != 200:
        raise FetchFailed(f"{url} answered {response.status_code}.")
    return Fetched(
        response.content,
        response.headers.get("etag", "")[:300],
        response.headers.get("last-modified", "")[:100],
    )


def _get(url: str, headers: dict[str, str]) -> httpx.Response:
    """Follows a few redirects, each judged by the gate like the first address."""
    for _ in range(MAX_REDIRECTS + 1):
        try:
            response = safe_http.fetch("GET", url, max_bytes=MAX_BYTES, timeout=TIMEOUT_S, headers=headers)
        except httpx.HTTPError as error:
            raise FetchFailed(f"{url} can't be read: {error or type(error).__name__}.") from error
        except KriptikError as error:
            raise FetchFailed(error.message) from error
        if response.status_code not in _MOVED or "location" not in response.headers:
            return response
        url = urljoin(url, response.headers["location"])
    raise FetchFailed(f"{url} redirects more than {MAX_REDIRECTS} times.")
