"""The envelope: a header line, then items, each a header line and a payload of a told length."""

from dataclasses import dataclass
from typing import Any

from core.errors import KriptikError
from incidents.strict_json import JsonRefused, strict_loads

HEADER_BYTES = 8 * 1024
ITEMS = 100
EVENT_BYTES = 1024 * 1024


class BadEnvelope(KriptikError):
    code = "bad_envelope"
    status = 400


@dataclass(frozen=True)
class Item:
    type: str
    payload: bytes


@dataclass(frozen=True)
class Envelope:
    headers: dict[str, Any]
    items: list[Item]


def envelope_headers(body: bytes) -> dict[str, Any]:
    """The first line, which may carry the DSN; raises BadEnvelope."""
    line, _, _ = body.partition(b"\n")
    return _header(line, "The envelope's header")


def envelope_parse(body: bytes) -> Envelope:
    """The envelope in `body`; raises BadEnvelope, naming the item that is wrong."""
    headers = envelope_headers(body)
    position = body.find(b"\n") + 1 or len(body)
    items: list[Item] = []
    while position < len(body):
        if body[position : position + 1] == b"\n":  # SDKs end with one, or part items by one
            position += 1
            continue
        if len(items) >= ITEMS:
            raise BadEnvelope(f"An envelope holds at most {ITEMS} items.")
        item, position = _item(body, position, len(items) + 1)
        items.append(item)
    return Envelope(headers, items)


def event_of(payload: bytes) -> dict[str, Any]:
    """The event in an item or in the body of /store/; raises BadEnvelope."""
    if len(payload) > EVENT_BYTES:
        raise BadEnvelope("An event is at most 1 MiB.", code="too_large", status=413)
    try:
        event = strict_loads(payload)
    except JsonRefused as error:
        raise BadEnvelope(f"The event was refused: {error}") from error
    if not isinstance(event, dict):
        raise BadEnvelope("An event is a JSON object.")
    return event


def _item(body: bytes, position: int, number: int) -> tuple[Item, int]:
    end = body.find(b"\n", position)
    end = len(body) if end < 0 else end
    header = _header(body[position:end], f"The header of item {number}")
    kind = header.get("type")
    if not isinstance(kind, str) or not kind:
        raise BadEnvelope(f"Item {number} has no type.")
    start = min(end + 1, len(body))
    length = header.get("length")
    if length is None:
        stop = body.find(b"\n", start)
        stop = len(body) if stop < 0 else stop
    elif isinstance(length, int) and not isinstance(length, bool) and 0 <= length <= len(body) - start:
        stop = start + length
    else:
        raise BadEnvelope(f"Item {number} is shorter than its header says.")
    return Item(kind[:40], body[start:stop]), stop + 1


def _header(line: bytes, what: str) -> dict[str, Any]:
    if len(line) > HEADER_BYTES:
        raise BadEnvelope(f"{what} is longer than {HEADER_BYTES} bytes.")
    try:
        found = strict_loads(line)
    except JsonRefused as error:
        raise BadEnvelope(f"{what} was refused: {error}") from error
    if not isinstance(found, dict):
        raise BadEnvelope(f"{what} is not a JSON object.")
    return found
