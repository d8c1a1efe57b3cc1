"""The one gate for outgoing HTTP to addresses that a person typed in.

It resolves a name once, refuses addresses that are not public unless the operator allow-listed them, and
connects to the very address it judged, so that a second DNS answer can't point elsewhere (DNS rebinding).
Redirects are never followed: each hop would need a judgement of its own.
"""

import ipaddress
import socket
from typing import Any

import httpx
from django.conf import settings

from core.errors import Permanent

TIMEOUT_S = 10.0
MAX_BYTES = 5 * 1024 * 1024


class AddressRefused(Permanent):
    """The URL points where we may not go."""

    code = "address_refused"


def fetch(method: str, url: str, *, max_bytes: int = MAX_BYTES, **kwargs: Any) -> httpx.Response:
    """Sends one request and reads at most `max_bytes` of the answer.

    Raises AddressRefused for a URL that is not plain http(s) to an allowed address, httpx.HTTPError for
    what goes wrong on the way, Permanent for an answer that is too long.
    """
    target = httpx.URL(url)
    address = _judged_address(target)
    headers = httpx.Headers(kwargs.pop("headers", None))
    headers["Host"] = target.netloc.decode("ascii")
    timeout = kwargs.pop("timeout", TIMEOUT_S)
    extensions = {"sni_hostname": target.host} if target.scheme == "https" else {}
    with (
        httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client,
        client.stream(
            method, target.copy_with(host=address), headers=headers, extensions=extensions, **kwargs
        ) as response,
    ):
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > max_bytes:
                raise Permanent(f"The answer of {target.host} is longer than {max_bytes} bytes.")
        # iter_bytes has already undone the transfer's compression; a second pass over it would fail.
        plain = [(k, v) for k, v in response.headers.items() if k.lower() != "content-encoding"]
        return httpx.Response(response.status_code, headers=plain, content=body, request=response.request)


def _judged_address(target: httpx.URL) -> str:
    if target.scheme not in {"http", "https"} or not target.host:
        raise AddressRefused(f"{target} is not an http or https address.")
    if target.userinfo:
        raise AddressRefused("An address with a user name or password inside is refused.")
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(target.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{target.host} can't be found: {error}") from error
    addresses = {str(entry[4][0]) for entry in found}
    if f"{target.host}:{port}" not in settings.SAFE_HTTP_ALLOW:
        for address in addresses:
            if not ipaddress.ip_address(address.split("%")[0]).is_global:
                raise AddressRefused(
                    f"{target.host} is a private address ({address}). Add "
                    f'"{target.host}:{port}" to KRIPTIK_SAFE_HTTP_ALLOW if that is meant.'
                )
    return sorted(addresses, key=lambda a: ":" in a)[0]
