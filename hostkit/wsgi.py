"""The endpoints as WSGI middleware: `app = KriptikMiddleware(app, kit)`."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from hostkit.endpoints import MAX_BODY_BYTES, PREFIX, answer, too_large
from hostkit.kit import HostKit
from hostkit.shapes import Reply, Request

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class KriptikMiddleware:
    """Answers `/__kriptik__/*` itself and hands everything else through untouched."""

    def __init__(self, app: WSGIApplication, kit: HostKit) -> None:
        self.app = app
        self.kit = kit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not str(environ.get("PATH_INFO", "")).startswith(PREFIX):
            return self.app(environ, start_response)
        length = _content_length(environ)
        reply = too_large() if length > MAX_BODY_BYTES else answer(self.kit, _request(environ, length))
        return _send(reply, start_response)


def _request(environ: WSGIEnvironment, length: int) -> Request:
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=str(environ["PATH_INFO"]),
        headers=headers,
        body=environ["wsgi.input"].read(length) if length else b"",
    )


def _content_length(environ: WSGIEnvironment) -> int:
    # A chunked body has no length: it reads as empty here, and its signature then doesn't match.
    text = str(environ.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def _send(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    status = HTTPStatus(reply.status)
    headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
    start_response(f"{status.value} {status.phrase}", headers)
    return [reply.body]
