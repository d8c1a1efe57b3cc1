"""JSON as strangers may send it: everything that Python's parser lets through and we can't store is refused.

Measured with `json.loads`: 100,000 nested brackets raise RecursionError; "\\ud800" parses and then fails in
the database; NaN and 1e999 are accepted; of doubled keys the last one wins; NUL fails in PostgreSQL; an
integer of 5,000 digits raises ValueError. Each becomes one JsonRefused with a sentence.
"""

import json
import math
from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 40
MAX_INT = 2**63 - 1  # what a bigint column takes; JavaScript counts exactly to 2**53 only


class JsonRefused(ValueError):
    """The text is not JSON that we take; the message says why."""


def strict_loads(raw: str | bytes) -> Any:
    """The value of a JSON text. Raises JsonRefused, and nothing else, for every text that we don't take."""
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except JsonRefused:
        raise
    except UnicodeDecodeError as error:
        raise JsonRefused("The text is not UTF-8.") from error
    except RecursionError as error:
        raise JsonRefused(f"The JSON is nested more than {MAX_DEPTH} levels deep.") from error
    except ValueError as error:
        raise JsonRefused(f"Not JSON: {str(error)[:120]}.") from error
    _walk(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonRefused("An object has the same key twice.")
    return found


def _no_constant(name: str) -> Any:
    raise JsonRefused(f"{name} is not JSON.")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonRefused("A number is too large.")
    return number


def _int(text: str) -> int:
    # Length first: converting 4,300 digits is slow, more of them raise.
    if len(text) > 20 or abs(int(text)) > MAX_INT:
        raise JsonRefused("A whole number is too large.")
    return int(text)


def _walk(value: Any) -> None:
    """Depth and characters, with a stack of our own: a recursive walk would fall into the same trap."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise JsonRefused(f"The JSON is nested more than {MAX_DEPTH} levels deep.")


def _children(item: Any) -> Iterable[Any]:
    if isinstance(item, str):
        _check_text(item)
    elif isinstance(item, dict):
        for key in item:
            _check_text(key)
        return item.values()
    elif isinstance(item, list):
        return item
    return ()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise JsonRefused("A text contains NUL.")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise JsonRefused("A text contains half of a surrogate pair.") from error
