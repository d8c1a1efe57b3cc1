"""What every action keeps: nothing changes in a dry run, and one idempotency key changes things once."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from forge.auth.users import user_get
from forge.db import now_ms, write

from hostkit import ActionCall, ActionResult, HostKitError, UnknownUser

Plan = Callable[[sqlite3.Connection, ActionCall], ActionResult]
Change = Callable[[sqlite3.Connection, ActionCall, ActionResult], None]


def action_run(db: sqlite3.Connection, call: ActionCall, plan: Plan, change: Change) -> ActionResult:
    """Plan and change in one transaction with the log row: a crash leaves both or neither."""
    if user_get(db, call.user) is None:
        raise UnknownUser(call.user)
    if call.mode == "dry_run":
        return plan(db, call)
    with write(db):
        known = _logged(db, call)
        if known is not None:
            return known
        result = plan(db, call)
        if result.applicable:
            change(db, call, result)
        row = (call.idempotency_key, call.user, _request(call), json.dumps(asdict(result)), now_ms())
        db.execute("INSERT INTO action_log VALUES (?, ?, ?, ?, ?)", row)
        return result


def whole_number(call: ActionCall, field: str) -> int:
    value = call.args.get(field)
    if isinstance(value, bool) or not isinstance(value, int):
        raise HostKitError("invalid_field", f"args.{field} must be a whole number.")
    return value


def _logged(db: sqlite3.Connection, call: ActionCall) -> ActionResult | None:
    query = "SELECT request, result FROM action_log WHERE idempotency_key = ?"
    row = db.execute(query, (call.idempotency_key,)).fetchone()
    if row is None:
        return None
    if row["request"] != _request(call):
        raise HostKitError("idempotency_conflict", "This key was used for another request.", 409)
    return _result(json.loads(row["result"]))


def _request(call: ActionCall) -> str:
    return json.dumps([call.name, call.user, dict(call.args)], sort_keys=True)


def _result(stored: dict[str, Any]) -> ActionResult:
    changed = {name: (pair[0], pair[1]) for name, pair in stored["changed"].items()}
    return ActionResult(stored["applicable"], stored["reason"], changed, stored["undo"])
