"""A real HTTP server on loopback that publishes an Atom feed the way good and bad servers do.

ETag, Last-Modified, 304, redirects, errors, slow answers, endless answers, broken XML.
"""

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Entry:
    url: str
    title: str
    summary: str = ""
    published: str = "2026-11-20T08:00:00Z"


def atom(entries: list[Entry], title: str = "Reliability Weekly") -> bytes:
    body = "".join(
        f"<entry><id>{escape(e.url)}</id><title type='html'>{escape(e.title)}</title>"
        f"<link href={escape(repr(e.url))} rel='alternate'/><published>{e.published}</published>"
        f"<updated>{e.published}</updated><summary type='html'>{escape(e.summary)}</summary></entry>"
        for e in entries
    )
    head = "<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom'>"
    return f"{head}<id>urn:feed</id><title>{escape(title)}</title>{body}</feed>".encode()


@dataclass
class AtomFeed:
    """`mode`: normal, error (with `status`), redirect, loop, endless, not_a_feed."""

    entries: list[Entry] = field(default_factory=list)
    mode: str = "normal"
    status: int = 503
    location: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    modified: datetime = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"feed": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.address}/feed.atom"

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(atom(self.entries)).hexdigest()[:16]}"'


class _Handler(BaseHTTPRequestHandler):
    feed: AtomFeed

    def do_GET(self):
        self.feed.requests.append({k.lower(): v for k, v in self.headers.items()})
        getattr(self, f"answer_{self.feed.mode}")()

    def answer_normal(self):
        known = self.headers.get("If-None-Match") == self.feed.etag
        if known:
            return self.send(304, b"")
        return self.send(200, atom(self.feed.entries))

    def answer_error(self):
        self.send(self.feed.status, b"sorry")

    def answer_redirect(self):
        if self.path == "/moved":
            return self.answer_normal()
        return self.send(302, b"", {"Location": self.feed.location or "/moved"})

    def answer_loop(self):
        self.send(302, b"", {"Location": self.path})

    def answer_not_a_feed(self):
        self.send(200, b"<html><body>Log in to read on</body></html>")

    def answer_endless(self):
        self.send(200, b"x" * (6 * 1024 * 1024))

    def send(self, status, body, headers=None):
        self.feed.answers.append(status)
        self.send_response(status)
        self.send_header("ETag", self.feed.etag)
        self.send_header("Last-Modified", format_datetime(self.feed.modified, usegmt=True))
        self.send_header("Content-Type", "application/atom+xml")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the reader had enough

    def log_message(self, *_):
        return
