"""`/api/<host>/envelope/` and `/store/`: where Sentry's server SDKs send to."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from core.errors import KriptikError
from incidents.counts import count
from incidents.limits import per_window, take
from incidents.models import Host
from incidents.sentry.auth import host_for, key_of
from incidents.sentry.envelope import Envelope, envelope_headers, envelope_parse, event_of
from incidents.services import server_event_store
from incidents.views.body import body_expand, body_read

BODY = 1024 * 1024  # compressed
EXPANDED = 8 * 1024 * 1024
ENVELOPES_PER_EVENT = 10
ITEM_TYPES = frozenset(
    {
        "attachment",
        "check_in",
        "client_report",
        "feedback",
        "log",
        "metric",
        "profile",
        "replay_event",
        "replay_recording",
        "session",
        "sessions",
        "span",
        "statsd",
        "transaction",
        "user_report",
    }
)
Handler = Callable[[Host, bool, bytes], dict[str, Any]]


class TooMany(KriptikError):
    code = "rate_limited"
    status = 429


@csrf_exempt  # No cookie is read: the DSN's key names the host.
@require_POST
def envelope(request: HttpRequest, host_id: int) -> JsonResponse:
    """Takes an envelope: events are stored, every other item is counted. Answers {"id": event id}."""

    def handle(host: Host, trusted: bool, body: bytes) -> dict[str, Any]:
        # Other items cost little, and an SDK sends more of them than of events: a limit of their own, as
        # sessions and traces must not use up what is meant for errors.
        _meter(f"envelope:host:{host.pk}", ENVELOPES_PER_EVENT * host.quota)
        return _store_envelope(host, trusted, envelope_parse(body))

    return _answer(request, host_id, envelope_headers, handle)


@csrf_exempt
@require_POST
def store(request: HttpRequest, host_id: int) -> JsonResponse:
    """The older endpoint: one event as the body."""

    def handle(host: Host, trusted: bool, body: bytes) -> dict[str, Any]:
        _meter_event(host)
        row = server_event_store(host=host, event=event_of(body), trusted=trusted)
        return {"id": row.event_id}

    return _answer(request, host_id, lambda _: {}, handle)


def _answer(
    request: HttpRequest, host_id: int, headers: Callable[[bytes], dict[str, Any]], handle: Handler
) -> JsonResponse:
    try:
        compressed = body_read(request, BODY)
        body = body_expand(compressed, request.headers.get("Content-Encoding", "").lower(), EXPANDED)
        key = key_of(request.headers.get("X-Sentry-Auth", ""), request.GET.get("sentry_key"), headers(body))
        host, trusted = host_for(host_id, key)
        return JsonResponse(handle(host, trusted, body))
    except KriptikError as error:
        response = JsonResponse(error.as_json(), status=error.status)
        # What the SDK's own debug log shows to the host's developer.
        response["X-Sentry-Error"] = error.message[:200].encode("ascii", "replace").decode()
        if isinstance(error, TooMany):
            response["Retry-After"] = str(max(1, round(error.data["retry_after"])))
        return response


def _store_envelope(host: Host, trusted: bool, parsed: Envelope) -> dict[str, Any]:
    trace = parsed.headers.get("trace")
    trace_id = trace.get("trace_id") if isinstance(trace, dict) else None
    answered: dict[str, Any] = {"id": None}
    other: Counter[str] = Counter()
    for item in parsed.items:
        if item.type != "event":
            # Types are the sender's words: only those that we know may become rows.
            other[f"item.{item.type if item.type in ITEM_TYPES else 'other'}"] += 1
            continue
        _meter_event(host)
        event = event_of(item.payload)
        event.setdefault("event_id", parsed.headers.get("event_id"))
        row = server_event_store(host=host, event=event, trusted=trusted, trace_id=str(trace_id or ""))
        answered = {"id": row.event_id}
    count(host.pk, other)
    return answered


def _meter_event(host: Host) -> None:
    _meter(f"event:host:{host.pk}", host.quota)


def _meter(key: str, quota: int) -> None:
    wait = take(per_window(key, quota))
    if wait:
        raise TooMany("Too many events from this host.", retry_after=wait)
