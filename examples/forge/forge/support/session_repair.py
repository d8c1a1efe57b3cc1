"""refresh_session: let new sessions carry the user's epoch again; restore_session takes it back."""

import sqlite3
from collections.abc import Callable
from typing import Any

from forge.auth.epochs import epoch_cache_set, epoch_cached, epoch_current
from forge.auth.users import user_get
from forge.support.actions import action_run, whole_number

from hostkit import ActionCall, ActionResult, HostKit, Invariant, UnknownUser


def offer(kit: HostKit, opened: Callable[[], Any]) -> None:
    @kit.action("refresh_session")
    def refresh_session(call: ActionCall) -> ActionResult:
        with opened() as db:
            return action_run(db, call, _refresh_plan, _apply)

    @kit.action("restore_session")
    def restore_session(call: ActionCall) -> ActionResult:
        with opened() as db:
            return action_run(db, call, _restore_plan, _apply)

    @kit.invariant("session_usable")
    def session_usable(user_id: str) -> Invariant:
        """Would a session minted now pass the check of the next request?"""
        with opened() as db:
            if user_get(db, user_id) is None:
                raise UnknownUser(user_id)
            cached, needed = epoch_cached(db, user_id), epoch_current(db, user_id)
        minted = needed if cached is None else cached
        return Invariant(minted >= needed, {"minted_epoch": minted, "needed_epoch": needed})


def _refresh_plan(db: sqlite3.Connection, call: ActionCall) -> ActionResult:
    cached, current = epoch_cached(db, call.user), epoch_current(db, call.user)
    if cached is None or cached == current:
        return ActionResult(False, "New sessions carry the current epoch already.")
    reason = f"New sessions carry the epoch {cached}, sessions must have {current}."
    return ActionResult(True, reason, {"cached_epoch": (cached, current)}, {"cached_epoch": cached})


def _restore_plan(db: sqlite3.Connection, call: ActionCall) -> ActionResult:
    cached, before = epoch_cached(db, call.user), whole_number(call, "cached_epoch")
    if cached == before:
        return ActionResult(False, "The cached epoch has this value already.")
    return ActionResult(True, "Back to the epoch cached before.", {"cached_epoch": (cached, before)})


def _apply(db: sqlite3.Connection, call: ActionCall, result: ActionResult) -> None:
    epoch_cache_set(db, call.user, result.changed["cached_epoch"][1])
