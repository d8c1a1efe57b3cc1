"""A small threaded JSON server: routes in, (status, object, headers) out."""

import argparse
import json
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

MAX_BODY_BYTES = 256 * 1024


class Call(NamedTuple):
    body: dict[str, Any]
    key: str
    parts: tuple[str, ...]


class Answer(NamedTuple):
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = {}


View = Callable[[Call], Answer]
Route = tuple[str, str, View]


def failure(status: int, kind: str, message: str, headers: Mapping[str, str] = {}) -> Answer:
    return Answer(status, {"error": {"type": kind, "message": message}}, headers)


class Handler(BaseHTTPRequestHandler):
    """One request: route, check, answer. `routes` is set on the subclass that a server uses."""

    protocol_version = "HTTP/1.1"
    routes: Sequence[tuple[str, re.Pattern[str], View]] = ()

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        answer = self._route(method)
        payload = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _route(self, method: str) -> Answer:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            return failure(413, "too_large", "The body is too large.")
        raw = self.rfile.read(length)
        path = self.path.split("?")[0]
        if path == "/healthz":
            return Answer(200, {"status": "ok"})
        for wanted, pattern, view in self.routes:
            found = pattern.fullmatch(path)
            if found and wanted == method:
                return self._view(view, raw, found.groups())
        return failure(404, "not_found", "There is nothing at this address.")

    def _view(self, view: View, raw: bytes, parts: tuple[str, ...]) -> Answer:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not key:
            return failure(401, "authentication_error", "Send your key as a bearer token.")
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return failure(400, "invalid_request", "The body must be a JSON object.")
        return view(Call(body, key, parts))

    def log_message(self, format: str, *args: Any) -> None:
        sys.stdout.write(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}\n")


def server_create(port: int, routes: list[Route], *, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server that isn't running yet. Paths are regular expressions; all but /healthz need a bearer key."""
    compiled = [(method, re.compile(path), view) for method, path, view in routes]
    server = ThreadingHTTPServer((host, port), type("RoutedHandler", (Handler,), {"routes": compiled}))
    server.daemon_threads = True
    return server


def port_parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    return parser


def server_run(server: ThreadingHTTPServer) -> None:
    """Serve until SIGTERM or SIGINT."""

    def stop(_signal: int, _frame: object) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    server.serve_forever()
    server.server_close()
