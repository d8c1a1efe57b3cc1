"""What we keep of a Sentry event: a small, scrubbed copy, and the facts that others join by.

An event is whatever an SDK of any language and age sends, so every part is looked at before it is used;
what has another form than expected is left out, never an error.
"""

import hashlib
import json
import re
from typing import Any
from urllib.parse import urlsplit

from core import ids, redact
from incidents.fingerprint import message_template

VALUES = 5  # chained exceptions, the last is the one that was raised
FRAMES = 50
CRUMBS = 100
TAGS = 50
TEXT = 2000
_HEX32 = re.compile(r"^[0-9a-f]{32}$")
_KEPT = ("level", "platform", "transaction", "release", "environment", "server_name", "logger", "timestamp")


def event_facts(event: dict[str, Any], trace_id: str = "") -> dict[str, Any]:
    """The columns of a ServerEvent (all but the host). `trace_id` (of the header) is the fallback."""
    kept = event_kept(event)
    return {
        "event_id": _hex32(event.get("event_id")) or hashlib.md5(ids.new_secret().encode()).hexdigest(),
        "trace_id": _hex32(kept["contexts"]["trace"]["trace_id"]) or _hex32(trace_id),
        "level": _text(event.get("level"), 16) or "error",
        "title": event_title(kept),
        "fingerprint": event_fingerprint(kept),
        "release": _text(event.get("release"), 64),
        "environment": _text(event.get("environment"), 64),
        "event": kept,
        "upstream": upstream_of(kept, _dict(_dict(event.get("contexts")).get("upstream"))),
    }


def event_kept(event: dict[str, Any]) -> dict[str, Any]:
    """A small scrubbed copy in Sentry's own form, so that whoever knows that form can read it.

    Always there: logentry.formatted, exception.values, breadcrumbs.values, request, tags, contexts.trace,
    user.id.
    """
    kept: dict[str, Any] = {name: _text(event.get(name), 300) for name in _KEPT if event.get(name)}
    logged = _dict(event.get("logentry"))
    said = logged.get("formatted") or logged.get("message") or event.get("message")
    kept["logentry"] = {"formatted": _text(said, TEXT)}
    kept["exception"] = {"values": [_exception(v) for v in _values(event.get("exception"))[-VALUES:]]}
    kept["breadcrumbs"] = {"values": [_crumb(c) for c in _values(event.get("breadcrumbs"))[-CRUMBS:]]}
    request = _dict(event.get("request"))
    kept["request"] = {"method": _text(request.get("method"), 10), "url": _text(request.get("url"), TEXT)}
    kept["tags"] = _tags(event.get("tags"))
    trace = _dict(_dict(event.get("contexts")).get("trace"))
    traced = {name: _text(trace.get(name), 64) for name in ("trace_id", "span_id", "op", "status")}
    kept["contexts"] = {"trace": traced}
    # The id alone: names, addresses and e-mail are nobody's business here.
    kept["user"] = {"id": _text(_dict(event.get("user")).get("id"), 200)}
    clean: dict[str, Any] = redact.scrub(kept)
    return clean


def event_title(kept: dict[str, Any]) -> str:
    raised = kept["exception"]["values"][-1:]
    said = f"{raised[0]['type']}: {raised[0]['value']}" if raised else kept["logentry"]["formatted"]
    return str(said)[:300]


def event_fingerprint(kept: dict[str, Any]) -> str:
    """`v1:` and 32 hex characters, of the exception's type and the host's own frames."""
    parts: list[Any] = ["server", "", message_template(kept["logentry"]["formatted"])]
    for raised in kept["exception"]["values"][-1:]:
        own = [f for f in raised["stacktrace"]["frames"] if f["in_app"]][-3:]
        frames = [f"{frame['function']} {frame['filename']}" for frame in own]
        parts = ["server", raised["type"], frames or message_template(raised["value"])]
    return "v1:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def upstream_of(kept: dict[str, Any], told: dict[str, Any]) -> list[dict[str, Any]]:
    """The HTTP exchanges that the server had with other services, from its breadcrumbs, oldest first:
    {"method", "url", "host" (host:port), "path", "status", "retry_after" (seconds, None when not told)}.

    `told` is the event's context `upstream`: SDKs leave headers out of breadcrumbs, so a host that wants a
    Retry-After known puts the failed exchange there, in the same words.
    """
    found = []
    for crumb in kept["breadcrumbs"]["values"]:
        url = crumb["data"].get("url")
        if crumb["type"] != "http" and crumb["category"] not in {"httplib", "http", "fetch", "xhr"}:
            continue
        if not url:
            continue
        try:
            parts = urlsplit(url)
        except ValueError:
            continue
        exchange = {
            "method": (crumb["data"].get("method") or "GET").upper(),
            "url": url,
            "host": parts.netloc.rpartition("@")[2],
            "path": parts.path or "/",
            "status": crumb["data"].get("status") or 0,
            "retry_after": crumb["data"].get("retry_after"),
        }
        found.append(exchange)
    return _told_added(found, told)


def _told_added(found: list[dict[str, Any]], told: dict[str, Any]) -> list[dict[str, Any]]:
    """The told exchange completes its breadcrumb; without one it is the last that happened."""
    if not told.get("host") or not told.get("path"):
        return found
    host, path = _text(told["host"], 300), _text(told["path"], TEXT)
    exchange = {
        "method": (_text(told.get("method"), 10) or "GET").upper(),
        "url": f"http://{host}{path}",
        "host": host,
        "path": path,
        "status": _number(told.get("status")) or 0,
        "retry_after": _number(told.get("retry_after")),
    }
    same = ("method", "host", "path", "status")
    for crumb in reversed(found):
        if all(crumb[name] == exchange[name] for name in same):
            crumb["retry_after"] = crumb["retry_after"] or exchange["retry_after"]
            return found
    return [*found, exchange]


def _exception(value: dict[str, Any]) -> dict[str, Any]:
    frames = _list(_dict(value.get("stacktrace")).get("frames"))[-FRAMES:]
    return {
        "type": _text(value.get("type"), 200),
        "value": _text(value.get("value"), TEXT),
        "module": _text(value.get("module"), 200),
        "mechanism": {"handled": _dict(value.get("mechanism")).get("handled") is not False},
        "stacktrace": {"frames": [_frame(_dict(f)) for f in frames]},
    }


def _frame(frame: dict[str, Any]) -> dict[str, Any]:
    """Without the local variables: they hold users' data and help no rule of ours."""
    line = frame.get("lineno")
    return {
        "filename": _text(frame.get("filename") or frame.get("abs_path"), 300),
        "function": _text(frame.get("function"), 200),
        "module": _text(frame.get("module"), 200),
        "lineno": line if isinstance(line, int) else 0,
        "in_app": frame.get("in_app") is not False,
        "context_line": _text(frame.get("context_line"), 300),
    }


def _crumb(crumb: dict[str, Any]) -> dict[str, Any]:
    data = _dict(crumb.get("data"))
    status = data.get("status_code", data.get("http.response.status_code"))
    retry = data.get("retry_after", data.get("http.response.header.retry-after"))
    return {
        "type": _text(crumb.get("type"), 40),
        "category": _text(crumb.get("category"), 100),
        "level": _text(crumb.get("level"), 16),
        "message": _text(crumb.get("message"), 500),
        "data": {
            "url": _text(data.get("url"), TEXT),
            "method": _text(data.get("method", data.get("http.method")), 10),
            "status": _number(status),
            "retry_after": _number(retry),
        },
    }


def _tags(value: Any) -> dict[str, str]:
    """Old SDKs send pairs, new ones an object."""
    pairs = value.items() if isinstance(value, dict) else [p for p in _list(value) if _is_pair(p)]
    return {_text(k, 32): _text(v, 200) for k, v in list(pairs)[:TAGS]}


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _values(value: Any) -> list[dict[str, Any]]:
    """`{"values": [...]}` or the list itself."""
    found = _list(_dict(value).get("values")) or _list(value)
    return [item for item in found if isinstance(item, dict)]


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, length: int) -> str:
    return str(value)[:length] if isinstance(value, str | int | float) else ""


def _number(value: Any) -> int | None:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _hex32(value: Any) -> str:
    """An id in the one form that we compare by: 32 lower-case hex characters, or nothing."""
    plain = value.replace("-", "").lower() if isinstance(value, str) else ""
    return plain if _HEX32.match(plain) else ""
