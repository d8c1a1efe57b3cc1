"""Reading a request's body with a limit before and after it is expanded."""

import zlib

from django.http import HttpRequest

from core.errors import KriptikError


class TooLarge(KriptikError):
    code = "too_large"
    status = 413


class BadEncoding(KriptikError):
    code = "bad_encoding"
    status = 415


def body_read(request: HttpRequest, limit: int) -> bytes:
    """At most `limit` bytes; raises TooLarge. Reads one byte more than that and no further."""
    declared = request.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes.")
    body = request.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes.")
    return body


def body_expand(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its gzip or deflate, expanded to `limit` bytes at most: a bomb costs its limit.

    Raises TooLarge, or BadEncoding for an encoding that we don't know or a body that isn't in it.
    """
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "deflate"}:
        raise BadEncoding(f"Content-Encoding {encoding[:40]!r} is not taken; send gzip or nothing.")
    # 32: gzip and zlib, told apart by their headers.
    expander = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        expanded = expander.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadEncoding(f"The body is not {encoding}: {error}.") from error
    if len(expanded) > limit:
        raise TooLarge(f"The expanded body is larger than {limit} bytes.")
    if not expander.eof:
        raise BadEncoding(f"The {encoding} body ends too early.")
    return expanded
