"""A host application in one file, for releases in tests: `python small_host.py PORT`.

behaviour.json beside it says how this build behaves:
name, fails (paths answered with 500), slow_ms, dies_at_start, unhealthy, dies_on and hangs_on (a path).
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BEHAVIOUR = json.loads((Path(__file__).parent / "behaviour.json").read_text())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self):
        Handler.served += 1
        path = self.path.partition("?")[0]
        if BEHAVIOUR.get("dies_on") == path:
            os._exit(1)
        if path == "/healthz":
            return self.answer(500 if BEHAVIOUR.get("unhealthy") else 200, "ok")
        if path == "/stream":
            return self.stream()
        time.sleep(60 if path == BEHAVIOUR.get("hangs_on") else BEHAVIOUR.get("slow_ms", 0) / 1000)
        status = 500 if path in BEHAVIOUR.get("fails", []) else 200
        return self.answer(status, f"{BEHAVIOUR['name']} {self.headers.get('X-Kriptik-Release')}")

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(f"data: {BEHAVIOUR['name']}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.02)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if BEHAVIOUR.get("dies_at_start"):
        sys.exit("ImportError: no module named gone")
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
