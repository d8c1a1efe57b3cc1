"""resync_credits: bring the cached balance back to the ledger; restore_credits takes it back."""

import sqlite3
from collections.abc import Callable
from typing import Any

from forge.auth.users import user_get
from forge.billing.ledger import balance_get, balance_set, ledger_sum
from forge.support.actions import action_run, whole_number

from hostkit import ActionCall, ActionResult, HostKit, Invariant, UnknownUser


def offer(kit: HostKit, opened: Callable[[], Any]) -> None:
    @kit.action("resync_credits")
    def resync_credits(call: ActionCall) -> ActionResult:
        with opened() as db:
            return action_run(db, call, _resync_plan, _apply)

    @kit.action("restore_credits")
    def restore_credits(call: ActionCall) -> ActionResult:
        with opened() as db:
            return action_run(db, call, _restore_plan, _apply)

    @kit.invariant("credits_match_ledger")
    def credits_match_ledger(user_id: str) -> Invariant:
        with opened() as db:
            if user_get(db, user_id) is None:
                raise UnknownUser(user_id)
            balance, ledger = balance_get(db, user_id), ledger_sum(db, user_id)
        return Invariant(balance == ledger, {"balance": balance, "ledger": ledger})


def _resync_plan(db: sqlite3.Connection, call: ActionCall) -> ActionResult:
    balance, ledger = balance_get(db, call.user), ledger_sum(db, call.user)
    if balance == ledger:
        return ActionResult(False, "The balance equals the ledger already.")
    reason = f"The balance says {balance}, the ledger {ledger}."
    return ActionResult(True, reason, {"balance": (balance, ledger)}, {"balance": balance})


def _restore_plan(db: sqlite3.Connection, call: ActionCall) -> ActionResult:
    balance, before = balance_get(db, call.user), whole_number(call, "balance")
    if balance == before:
        return ActionResult(False, "The balance has this value already.")
    reason = "Back to the balance before the resync."
    return ActionResult(True, reason, {"balance": (balance, before)}, {"balance": balance})


def _apply(db: sqlite3.Connection, call: ActionCall, result: ActionResult) -> None:
    balance_set(db, call.user, result.changed["balance"][1])
