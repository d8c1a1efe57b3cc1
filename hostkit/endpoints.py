"""`/__kriptik__/*` for any framework: a Request in, a Reply out."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable
from typing import Any, cast

from hostkit.errors import HostKitError
from hostkit.kit import HostKit
from hostkit.shapes import (
    ActionCall,
    ActionReply,
    ActionResult,
    Clone,
    CloneReply,
    Cookie,
    DescribeReply,
    Description,
    Invariant,
    InvariantReply,
    LoginReply,
    Mode,
    Reply,
    Request,
)
from hostkit.signing import verify

PREFIX = "/__kriptik__/"
IDENTITY_PATH = PREFIX + "identity"
OPS_PREFIX = PREFIX + "v1/"
# The largest request is an action with its undo value; a clone travels in the answer.
MAX_BODY_BYTES = 256 * 1024

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
log = logging.getLogger("hostkit")


def answer(kit: HostKit, request: Request) -> Reply:
    """Never raises: a refusal becomes its status, an exception in a hook is logged and becomes 500."""
    try:
        return _route(kit, request)
    except HostKitError as refused:
        return _error(refused.status, refused.code, refused.message)
    except Exception:
        # The application's own error handling never sees this path, so the log is where it must show.
        log.exception("a hook failed for %s", request.path)
        return _error(500, "hook_failed", "The host's hook raised an exception; its log has the traceback.")


def too_large() -> Reply:
    return _error(413, "too_large", f"A request body may have at most {MAX_BODY_BYTES} bytes.")


def _route(kit: HostKit, request: Request) -> Reply:
    if not kit.secret:
        raise HostKitError("not_connected", "This host is connected to no KripTik Ops.", 404)
    if request.path == IDENTITY_PATH:
        return _identity(kit, request)
    if not request.path.startswith(OPS_PREFIX):
        raise HostKitError("not_found", "There is nothing at this address.", 404)
    if request.method != "POST":
        raise HostKitError("method_not_allowed", "Send operations with POST.", 405)
    verify(
        kit.secret,
        method=request.method,
        path=request.path,
        headers=request.headers,
        body=request.body,
        nonces=kit.nonces,
        clock=kit.clock,
    )
    name = request.path.removeprefix(OPS_PREFIX)
    operation = _OPERATIONS.get(name)
    if operation is None:
        raise HostKitError("unknown_op", f"Known operations: {', '.join(sorted(_OPERATIONS))}.", 404)
    return _json(200, operation(kit, _Body(request.body)))


def _identity(kit: HostKit, request: Request) -> Reply:
    if request.method != "GET":
        raise HostKitError("method_not_allowed", "Ask for an identity with GET.", 405)
    user = kit.user_of(request)
    if user is None:
        raise HostKitError("anonymous", "Nobody is logged in.", 401)
    return _json(200, {"token": kit.identity(user)})


def _describe(kit: HostKit, body: _Body) -> DescribeReply:
    user = body.text("user")
    told: Description = _hook(kit, "describe")(user)
    return {
        "user": user,
        "plan": told.plan,
        "role": told.role,
        "created": told.created,
        "facts": dict(told.facts),
    }


def _clone(kit: HostKit, body: _Body) -> CloneReply:
    clone: Clone = _hook(kit, "clone")(body.text_or_null("user"))
    files = {name: base64.b64encode(content).decode() for name, content in clone.files.items()}
    return {"user": clone.user, "files": files}


def _login(kit: HostKit, body: _Body) -> LoginReply:
    cookies: list[Cookie] = _hook(kit, "login")(body.text("user"))
    return {
        "cookies": [
            {"name": one.name, "value": one.value, "path": one.path, "httpOnly": one.http_only}
            for one in cookies
        ]
    }


def _action(kit: HostKit, body: _Body) -> ActionReply:
    call = ActionCall(
        name=body.name("name"),
        user=body.text("user"),
        mode=body.mode("mode"),
        args=body.object("args"),
        idempotency_key=body.text("idempotency_key"),
    )
    hook = kit.actions.get(call.name)
    if hook is None:
        raise HostKitError("unknown_action", f"This host offers: {_listed(kit.actions)}.", 404)
    result: ActionResult = hook(call)
    return {
        "applicable": result.applicable,
        "reason": result.reason,
        "changed": {name: list(pair) for name, pair in result.changed.items()},
        "undo": None if result.undo is None else dict(result.undo),
    }


def _invariant(kit: HostKit, body: _Body) -> InvariantReply:
    name, user = body.name("name"), body.text("user")
    hook = kit.invariants.get(name)
    if hook is None:
        raise HostKitError("unknown_invariant", f"This host offers: {_listed(kit.invariants)}.", 404)
    judged: Invariant = hook(user)
    return {"holds": judged.holds, "facts": dict(judged.facts)}


_OPERATIONS: dict[str, Callable[[HostKit, _Body], Any]] = {
    "describe": _describe,
    "clone": _clone,
    "login": _login,
    "action": _action,
    "invariant": _invariant,
}


class _Body:
    """The JSON object of a request, read field by field; each complaint names the field."""

    def __init__(self, raw: bytes) -> None:
        try:
            value = json.loads(raw)
        except ValueError as error:
            raise HostKitError("bad_json", "The body must be a JSON object.") from error
        if not isinstance(value, dict):
            raise HostKitError("bad_json", "The body must be a JSON object.")
        self._value: dict[str, Any] = value

    def text(self, field: str) -> str:
        value = self._value.get(field)
        if not isinstance(value, str) or not 0 < len(value) <= 200:
            raise HostKitError("invalid_field", f"{field!r} must be a string of 1 to 200 characters.")
        return value

    def text_or_null(self, field: str) -> str | None:
        if field in self._value and self._value[field] is None:
            return None
        return self.text(field)

    def name(self, field: str) -> str:
        value = self.text(field)
        if not _NAME.fullmatch(value):
            raise HostKitError(
                "invalid_field", f"{field!r} must be lower_case letters, digits and underscores."
            )
        return value

    def mode(self, field: str) -> Mode:
        value = self._value.get(field)
        if value not in ("dry_run", "apply"):
            raise HostKitError("invalid_field", f"{field!r} must be 'dry_run' or 'apply'.")
        return cast(Mode, value)

    def object(self, field: str) -> dict[str, Any]:
        value = self._value.get(field, {})
        if not isinstance(value, dict):
            raise HostKitError("invalid_field", f"{field!r} must be a JSON object.")
        return value


def _hook(kit: HostKit, name: str) -> Callable[..., Any]:
    hook = kit.hooks.get(name)
    if hook is None:
        raise HostKitError("not_offered", f"This host offers no {name}.", 501)
    return hook


def _listed(table: dict[str, Any]) -> str:
    return ", ".join(sorted(table)) or "none"


def _json(status: int, value: Any) -> Reply:
    # An identity or a clone must never be kept by a cache between the two ends.
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Reply(status, json.dumps(value).encode(), headers)


def _error(status: int, code: str, message: str) -> Reply:
    return _json(status, {"error": {"code": code, "message": message}})
