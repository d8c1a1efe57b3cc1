"""What a host's answers must look like: checked field by field, because a host is not our code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostkit.errors import HostAnswerError

# Takes where the value stands in the answer (such as "cookies.0") and the value; raises HostAnswerError.
Check = Callable[[str, Any], None]

_TOLD = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def bad_answer(message: str) -> HostAnswerError:
    return HostAnswerError(200, "bad_answer", message)


def _typed(words: str, *types: type) -> Check:
    def check(at: str, value: Any) -> None:
        # type() and not isinstance: True is an int to Python, and not to JSON.
        if type(value) not in types:
            raise bad_answer(f"{at!r} must be {words}, not {_TOLD[type(value)]}")

    return check


_flag = _typed("true or false", bool)
_text = _typed("a string", str)
_list = _typed("a list", list)
_object = _typed("an object", dict)
_object_or_null = _typed("an object or null", dict, type(None))
_whole_or_null = _typed("a whole number or null", int, type(None))


def _each_value(one: Check) -> Check:
    def check(at: str, value: Any) -> None:
        _object(at, value)
        for name, item in value.items():
            one(f"{at}.{name}", item)

    return check


def _each_item(one: Check) -> Check:
    def check(at: str, value: Any) -> None:
        _list(at, value)
        for number, item in enumerate(value):
            one(f"{at}.{number}", item)

    return check


def _fields(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """What else is there is let be: a later version of hostkit may say more."""

    def check(at: str, value: Any) -> None:
        if at:
            _object(at, value)
        if not isinstance(value, dict) or not required.keys() <= value.keys():
            names = ", ".join(sorted(required))
            raise bad_answer(f"{repr(at) if at else 'the answer'} must have {names}")
        for name, one in {**required, **(optional or {})}.items():
            if name in value:
                one(f"{at}.{name}" if at else name, value[name])

    return check


_cookie = _fields({"name": _text, "value": _text, "path": _text, "httpOnly": _flag})

ANSWERS: dict[str, Check] = {
    "describe": _fields(
        {"user": _text, "plan": _text, "role": _text, "facts": _object}, {"created": _whole_or_null}
    ),
    "clone": _fields({"user": _text, "files": _each_value(_text)}),
    "login": _fields({"cookies": _each_item(_cookie)}),
    "action": _fields(
        {"applicable": _flag, "reason": _text, "changed": _each_value(_list), "undo": _object_or_null}
    ),
    "invariant": _fields({"holds": _flag, "facts": _object}),
}
