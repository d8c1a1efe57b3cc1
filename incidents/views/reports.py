"""The HTTP fallback of the socket: hello and frames in one request, the same functions behind it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.intake import error_frame, frame_take, visit_open
from incidents.limits import REPORT_BODY
from incidents.strict_json import JsonRefused, strict_loads
from incidents.views.body import TooLarge, body_read
from incidents.views.cors import allow, origin_known, origin_of, preflight
from incidents.wire import FrameRefused, Hello, frame_parse
from notifications.messages import ErrorFrame, Message, Snapshot

FRAMES = 50  # of one request; a beacon carries a handful
STATUS = {"bad_key": 401, "bad_origin": 403, "too_large": 413, "rate_limited": 429}


@csrf_exempt  # There is no cookie to ride on: the key names the host, the identity is signed.
@require_http_methods(["POST", "OPTIONS"])
def reports(request: HttpRequest) -> HttpResponse:
    """`{"hello": Hello, "frames": [Frame]}` as JSON (or, from sendBeacon, as text/plain).

    Answers `{"welcome": Welcome, "replies": [Message]}`; the last reply is the snapshot. A refused hello
    answers an error frame with a fitting status.
    """
    if request.method == "OPTIONS":
        return preflight(request)
    origin = origin_of(request)
    address = str(request.META.get("REMOTE_ADDR") or "unknown")
    try:
        hello, frames = _read(request)
        visit, said = visit_open(hello, origin=origin, address=address)
    except FrameRefused as refusal:
        # A page that no host lists may not even read why.
        return allow(_refused(refusal), origin if origin_known(origin) else None)
    replies: list[Message] = list(said)
    for frame in frames:
        replies += frame_take(visit, frame)
    replies = [reply for reply in replies if not isinstance(reply, Snapshot)]
    body = {
        "welcome": visit.welcome().wire(),
        "replies": [reply.wire() for reply in [*replies, visit.snapshot()]],
    }
    waits = [r.retry_after for r in replies if isinstance(r, ErrorFrame) and r.retry_after]
    response = JsonResponse(body, status=429 if waits and len(waits) == len(frames) else 200)
    return allow(_retry_after(response, max(waits, default=None)), origin)


def _read(request: HttpRequest) -> tuple[Hello, list[Any]]:
    try:
        value = strict_loads(body_read(request, REPORT_BODY))
    except TooLarge as error:
        raise FrameRefused("too_large", error.message) from error
    except JsonRefused as error:
        raise FrameRefused("bad_json", str(error)) from error
    frames = value.get("frames") if isinstance(value, dict) else None
    if not isinstance(frames, list):
        raise FrameRefused("invalid_frame", 'The body is {"hello": {...}, "frames": [...]}.')
    if len(frames) > FRAMES:
        raise FrameRefused("too_large", f"At most {FRAMES} frames in one request.")
    hello = frame_parse(value.get("hello"))
    if not isinstance(hello, Hello):
        raise FrameRefused("invalid_frame", "`hello` is a hello frame.")
    return hello, frames


def _refused(refusal: FrameRefused) -> JsonResponse:
    status = STATUS.get(refusal.code, 400)
    return _retry_after(JsonResponse(error_frame(refusal).wire(), status=status), refusal.retry_after)


def _retry_after(response: JsonResponse, seconds: float | None) -> JsonResponse:
    if seconds is not None:
        response["Retry-After"] = str(max(1, round(seconds + 0.5)))
    return response
