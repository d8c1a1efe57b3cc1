"""The gateway inside this process, for tests of everything above it: the same contract, no binary.

It forwards plain HTTP/1.1 with a body of known length, one connection a request. It is slow and it knows no
websockets; that is what HAProxy is for.
"""

import contextlib
import hashlib
import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flags.gateway.protocol import COOKIE, HEADER, STABLE, GatewayDown, Routed, Routing

logger = logging.getLogger(__name__)

_IDEMPOTENT = {"GET", "HEAD"}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-connection"}


class _Route:
    def __init__(self, port: int) -> None:
        self.port, self.tokens, self.lease, self.away = port, set[str](), 0.0, False
        self.open = set[socket.socket]()


class InProcessGateway:
    """See flags.gateway.protocol.Gateway. `on_request` gets each request's record as a dict."""

    def __init__(self, port: int, on_request: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._stable = 0
        self._routes: dict[str, _Route] = {}
        self._everyone: str | None = None
        self._on_request = on_request or (lambda _: None)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def ensure(self) -> None:
        pass

    def observed(self) -> Routing:
        now = time.monotonic()
        with self._lock:
            return Routing(
                self._stable,
                {
                    name: Routed(
                        port=route.port,
                        tokens=frozenset(route.tokens),
                        everyone=self._everyone == name,
                        up=not route.away,
                        sessions=len(route.open),
                        lease_left_s=max(0.0, route.lease - now),
                    )
                    for name, route in self._routes.items()
                },
            )

    def stable_set(self, port: int) -> None:
        self._stable = port

    def add_release(self, release: str, port: int) -> None:
        with self._lock:
            route = self._routes.setdefault(release, _Route(port))
            route.port, route.away = port, False

    def assign(self, token: str, release: str) -> None:
        self._known(release).tokens.add(token)

    def unassign(self, token: str) -> None:
        for route in self._routes.values():
            route.tokens.discard(token)

    def everyone(self, release: str | None) -> None:
        if release is not None:
            self._known(release)
        self._everyone = release

    def renew(self, release: str, seconds: float) -> None:
        self._known(release).lease = time.monotonic() + seconds

    def route_away(self, release: str) -> None:
        if release in self._routes:
            self._routes[release].away = True

    def sever(self, release: str) -> int:
        route = self._routes.get(release)
        if route is None:
            return 0
        with self._lock:
            sockets = list(route.open)
        for open_socket in sockets:
            with contextlib.suppress(OSError):  # it ended by itself meanwhile
                open_socket.shutdown(socket.SHUT_RDWR)
        return len(sockets)

    def remove(self, release: str) -> None:
        with self._lock:
            self._routes.pop(release, None)
            self._everyone = None if self._everyone == release else self._everyone

    def answered_by(self, token: str | None, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("GET", path, headers={"Cookie": f"{COOKIE}={token}"} if token else {})
            answer = connection.getresponse()
        except OSError as error:
            raise GatewayDown(f"The gateway does not answer on port {self.port}: {error}") from error
        finally:
            connection.close()
        released = answer.getheader(HEADER)
        if released is None:
            raise GatewayDown(f"No release answered {path}: the gateway itself said {answer.status}.")
        return released

    # --- Forwarding ----------------------------------------------------------------------------------

    def _known(self, release: str) -> _Route:
        try:
            return self._routes[release]
        except KeyError:
            raise GatewayDown(f"The gateway does not know {release}.") from None

    def chosen(self, token: str | None) -> tuple[str, _Route] | None:
        """The release that this token leads to now, if any."""
        with self._lock:
            found = next((n for n, r in self._routes.items() if token and token in r.tokens), self._everyone)
            route = self._routes.get(found) if found else None
            if found is None or route is None or route.away or route.lease <= time.monotonic():
                return None
            return found, route

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        token = _cookie(handler.headers.get("Cookie", ""))
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        chosen = self.chosen(token)
        began, masked, answered = time.monotonic(), False, STABLE
        answer = None
        if chosen is not None:
            answered = chosen[0]
            answer = self._try(handler, body, chosen[1], answered)
            failed = answer is None or answer[0] in {502, 503}
            if failed and handler.command in _IDEMPOTENT:
                answer, masked = None, True
        if answer is None and (chosen is None or masked):
            answer = self._try(handler, body, _Route(self._stable), STABLE)
        status, headers, content = answer or (502, [], b"")
        by = None if answer is None else (STABLE if masked else answered)
        _reply(handler, status, headers, content, by)
        self._on_request(
            {
                "release": answered,
                "method": handler.command,
                "path": handler.path.partition("?")[0],
                "status": status,
                "ms": int((time.monotonic() - began) * 1000),
                "member": hashlib.sha1(token.encode()).hexdigest() if token and chosen else "",
                "page": "text/html" in handler.headers.get("Accept", ""),
                "masked": masked,
                "trace": handler.headers.get("sentry-trace", "").partition("-")[0],
            }
        )

    def _try(
        self, handler: BaseHTTPRequestHandler, body: bytes, route: _Route, release: str
    ) -> tuple[int, list[tuple[str, str]], bytes] | None:
        ours = {*_HOP_BY_HOP, HEADER.lower()}
        headers = {k: v for k, v in handler.headers.items() if k.lower() not in ours}
        headers[HEADER] = release
        connection = http.client.HTTPConnection("127.0.0.1", route.port, timeout=30)
        opened: socket.socket | None = None
        try:
            connection.connect()
            opened = connection.sock
            with self._lock:
                route.open.add(opened)
            connection.request(handler.command, handler.path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            with self._lock:
                route.open -= {opened}
            connection.close()


def _reply(
    handler: BaseHTTPRequestHandler,
    status: int,
    headers: list[tuple[str, str]],
    content: bytes,
    release: str | None,
) -> None:
    handler.send_response(status)
    for name, value in headers:
        if name.lower() not in {*_HOP_BY_HOP, "content-length", "server", "date", HEADER.lower()}:
            handler.send_header(name, value)
    if release is not None:
        handler.send_header(HEADER, release)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)


def _cookie(header: str) -> str | None:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return None


def _handler(gateway: InProcessGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # the client left
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", lambda self: gateway.serve(self))
    return Handler
