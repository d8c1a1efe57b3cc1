"""A host of one page and one service: its Generate button swallows the provider's 429."""

from __future__ import annotations

import os
from pathlib import Path

HOST = r'''
import hashlib, hmac, json, os, sys, time, urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DATA = Path(os.environ["TINY_DATA"])
PAGE = """<!doctype html><title>Tiny</title><main><h1>Studio of %s</h1>
<label for="prompt">Prompt</label><textarea id="prompt"></textarea>
<button data-testid="generate">Generate</button><ul id="apps"></ul></main>
<script>
document.querySelector('button').addEventListener('click', async () => {
  try {
    const body = document.querySelector('#prompt').value;
    const answer = await fetch('/api/generate', {method: 'POST', body});
    if (!answer.ok) throw new Error('failed');
    const app = await answer.json();
    const item = document.createElement('li');
    item.dataset.testid = 'app-' + app.number;
    item.textContent = app.text;
    document.querySelector('#apps').append(item);
  } catch (error) { /* swallowed */ }
});
</script>"""

def complete(prompt):
    request = urllib.request.Request(os.environ["TINY_MODEL_URL"] + "/v1/complete", data=prompt)
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)["text"]
        except urllib.error.HTTPError as error:
            if error.code != 429 or attempt + 1 == ATTEMPTS:
                raise
            time.sleep(float(error.headers.get("Retry-After", 0)))

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, "ok")
        cookies = [part.split("=") for part in self.headers.get("Cookie", "").split("; ") if "=" in part]
        user = dict(cookies).get("sid")
        if user is None:
            return self.answer(401, "<main>Log in first</main>")
        self.answer(200, PAGE % user)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/__kriptik__/v1/login":
            return self.login(body)
        try:
            text = complete(body)
        except Exception as error:
            print("ERROR generate failed:", error, file=sys.stderr, flush=True)
            return self.answer(ON_FAILURE, "{}")
        apps = json.loads((DATA / "apps.json").read_text()) + [text]
        (DATA / "apps.json").write_text(json.dumps(apps))
        self.answer(202, json.dumps({"number": len(apps), "text": text}))

    def login(self, body):
        stamp, nonce = self.headers["Kriptik-Timestamp"], self.headers["Kriptik-Nonce"]
        message = f"{stamp}.{nonce}.POST.{self.path}.{hashlib.sha256(body).hexdigest()}"
        secret = os.environ["KRIPTIK_SECRET"].encode()
        expected = hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()
        if self.headers["Kriptik-Signature"] != "v1=" + expected:
            return self.answer(401, "{}")
        cookie = {"name": "sid", "value": json.loads(body)["user"], "path": "/", "httpOnly": True}
        self.answer(200, json.dumps({"cookies": [cookie]}))

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
'''

MODEL = r"""
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        prompt = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        body = json.dumps({"text": "An app: " + prompt}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def tiny_tree(place: Path, *, attempts: int = 1, on_failure: int = 502, crash: bool = False) -> Path:
    """One variant of the host. The planted bug is attempts=1; a fix tries again."""
    place.mkdir(parents=True)
    head = f"ATTEMPTS, ON_FAILURE = {attempts}, {on_failure}\n"
    broken = "raise RuntimeError('no such table: apps')\n" if crash else ""
    (place / "app.py").write_text(broken + head + HOST)
    (place / "model.py").write_text(MODEL)
    os.chmod(place, 0o755)  # noqa: PTH101
    return place


GENERATE = {
    "tag": "button",
    "role": "button",
    "name": "Generate",
    "fingerprint": "button|generate",
    "locators": [
        {"by": "testid", "value": "generate"},
        {"by": "role", "role": "button", "name": "Generate"},
    ],
}
PROMPT = {
    "tag": "textarea",
    "role": "textbox",
    "name": "Prompt",
    "fingerprint": "textarea|prompt",
    "locators": [{"by": "label", "value": "Prompt"}],
}
FAILED = [{"method": "POST", "path": "/api/generate", "status": 502}]
UPSTREAM = [
    {"service": "model", "method": "POST", "path": "/v1/complete", "status": 429, "retry_after": 0.2},
    {"service": "model", "method": "POST", "path": "/v1/complete", "status": 429, "retry_after": 0.2},
]


def generate_report(**changes: object) -> dict[str, object]:
    """What the SDK sends after Generate did nothing, twice."""
    report: dict[str, object] = {
        "client_event_id": "7b0c1b5e-8f0d-4c2e-9a53-0b1a5b0e7d11",
        "kind": "SILENT_FAILURE",
        "at": 1_800_000_004_000,
        "action_id": "a4",
        "page": "https://tiny.example/studio",
        "route": "/studio",
        "element": GENERATE,
        "reasons": ["request_failed", "error_not_shown", "no_visible_response"],
        "requests": [{**FAILED[0], "action_id": "a4", "ms": 31, "at": 1_800_000_001_000}],
        "console": [],
        "actions": [
            {"id": "a1", "kind": "navigate", "at": 1_800_000_000_000, "url": "/studio", "after": {}},
            {
                "id": "a2",
                "kind": "fill",
                "at": 1_800_000_001_000,
                "url": "/studio",
                "element": PROMPT,
                "shape": "A aaaa aaa",
                "after": {},
            },
            {
                "id": "a3",
                "kind": "click",
                "at": 1_800_000_002_000,
                "url": "/studio",
                "element": GENERATE,
                "after": {"requests": FAILED, "ms": 30},
            },
            {
                "id": "a4",
                "kind": "click",
                "at": 1_800_000_003_000,
                "url": "/studio",
                "element": GENERATE,
                "after": {"requests": FAILED, "ms": 30},
            },
        ],
        "viewport": {"w": 1000, "h": 700},
        "locale": "en",
    }
    return {**report, **changes}


def healthy_outcome(**changes: object) -> dict[str, object]:
    """Another user's Generate that worked: the first app of a fresh account appears."""
    return {
        "route": "/studio",
        "element": GENERATE,
        "at": 1_799_999_000_000,
        "ms": 400,
        "requests": [{"method": "POST", "path": "/api/generate", "status": 202}],
        "navigated": None,
        "appeared": [{"by": "testid", "value": "app-1"}],
        **changes,
    }
