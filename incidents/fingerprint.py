"""Which reports are the same trouble. Pure; the version is in the value, so old incidents keep their own.

Made of what doesn't change from user to user: the kind, the route's pattern, the element, the failing
request's pattern, the error's type with its message as a template, the top frames of the host's own code.
"""

import hashlib
import json
import re

from incidents.classify import failed_requests
from incidents.wire import ErrorInfo, Report
from notifications.messages import Kind

VERSION = "v1"
FRAMES = 3

# Order matters: what contains others comes first.
_TEMPLATE = [
    (re.compile(r"https?://[^\s\"'<>)]+"), "<url>"),
    (re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\b|\[scrubbed\]"), "<private>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.I), "<id>"),
    (re.compile(r"\b[a-z]{2,5}_[A-Za-z0-9]{6,}\b"), "<id>"),
    (re.compile(r"(['\"`]).{0,200}?\1"), "<text>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
    (re.compile(r"\s+"), " "),
]
_ID_SEGMENT = re.compile(
    r"^(?:\d+|[0-9a-f]{8,}|[0-9a-f-]{36}|[a-z]{2,5}_[A-Za-z0-9]{6,}|(?=.*\d)[A-Za-z0-9_-]{16,}|:id)$", re.I
)
# "    at name (https://host/app.js:10:5)" and "name@https://host/app.js:10:5"
_FRAME = re.compile(
    r"^\s*(?:at\s+)?(?:async\s+)?(.*?)[\s@(]+(?:(?:https?|webpack)://[^/]*)?(/[^:()\s]*):\d+:\d+\)?$"
)
_LIBRARY = re.compile(r"/(?:node_modules|vendor|sdk/v1)/|\.min\.js|chrome-extension|moz-extension")
_HASHED_FILE = re.compile(r"[.-][0-9a-f]{6,20}(?=\.\w+$)", re.I)


def fingerprint_of(report: Report, kind: Kind) -> str:
    """The fingerprint of a report filed as `kind`: `v1:` and 32 hex characters."""
    parts = [str(kind), *_parts(report, kind)]
    return f"{VERSION}:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]}"


def message_template(message: str) -> str:
    """What varies replaced: `Job 17 of "Ann" failed` -> `Job <n> of <text> failed`."""
    for pattern, name in _TEMPLATE:
        message = pattern.sub(name, message)
    return message.strip()[:200]


def path_pattern(path: str) -> str:
    """A path without its query, id-like segments as `:id`."""
    plain = path.partition("?")[0].partition("#")[0]
    return "/".join(":id" if _ID_SEGMENT.match(part) else part for part in plain.split("/"))[:300]


def app_frames(stack: str | None) -> list[str]:
    """`function file` of the top frames of the host's own code; lines and build hashes vary, so they go."""
    frames = []
    for line in (stack or "").splitlines()[:100]:
        match = _FRAME.match(line[:400])
        if match and not _LIBRARY.search(match[2]):
            frames.append(f"{match[1] or '?'} {_HASHED_FILE.sub('', match[2])}")
    return frames[:FRAMES]


def _parts(report: Report, kind: Kind) -> list[object]:
    route = path_pattern(report.route)
    if report.expectation:
        # The same wrong number on any page is one trouble.
        return ["expectation", report.expectation.name]
    if kind == Kind.USER_REPORTED:
        return [route, message_template((report.text or report.message).casefold())]
    if kind == Kind.AUTH_ISSUE:
        return [sorted(set(report.reasons)), _failing(report)]
    if kind == Kind.ERROR and report.error:
        return [_error(report.error), route if not app_frames(report.error.stack) else ""]
    element = report.element.fingerprint if report.element else ""
    return [route, element, _failing(report), "" if element else message_template(report.message)]


def _error(error: ErrorInfo) -> list[object]:
    return [error.type, message_template(error.message), app_frames(error.stack)]


def _failing(report: Report) -> list[str]:
    """The first failing exchange. Its status is left out: a provider's 429 and 502 have one remedy."""
    return [f"{r.method} {path_pattern(r.path)}" for r in failed_requests(report)[:1]]
