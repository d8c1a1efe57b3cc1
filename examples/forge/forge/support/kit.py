"""What Forge offers to KripTik Ops: identity, account copies, the actions and what they promise."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from forge.auth.epochs import epoch_current
from forge.auth.sessions import SESSION_COOKIE, SessionExpired, session_mint, session_user
from forge.auth.users import user_get
from forge.billing.ledger import balance_get, ledger_sum
from forge.config import Config
from forge.db import connect
from forge.support import credits_repair, session_repair
from forge.support.clone import account_clone

from hostkit import Cookie, Description, HostKit, HostKitError, Request, SqliteNonceStore, UnknownUser


def kit_create(config: Config) -> HostKit:
    kit = HostKit.from_env(
        default_host="forge",
        # On disk, because a stable and a candidate release share the secret and this directory.
        nonces=SqliteNonceStore(config.data / "kriptik-nonces.db"),
    )
    opened = _opener(config)
    _add_account_hooks(kit, config, opened)
    credits_repair.offer(kit, opened)
    session_repair.offer(kit, opened)
    return kit


def _opener(config: Config) -> Callable[[], Any]:
    return lambda: closing(connect(config.database))


def _add_account_hooks(kit: HostKit, config: Config, opened: Callable[[], Any]) -> None:
    @kit.current_user
    def current_user(request: Request) -> str | None:
        with opened() as db:
            try:
                user = session_user(db, request.cookies.get(SESSION_COOKIE, ""))
            except SessionExpired:
                return None
        return user["id"] if user else None

    @kit.claims
    def claims(user_id: str) -> dict[str, str]:
        with opened() as db:
            user = user_get(db, user_id)
        return {"plan": user["plan"], "role": "member"} if user else {}

    @kit.describe
    def describe(user_id: str) -> Description:
        with opened() as db:
            user = user_get(db, user_id)
            if user is None:
                raise UnknownUser(user_id)
            return Description(user["plan"], "member", user["created_at"], _facts(db, user_id))

    @kit.clone
    def clone(user_id: str | None) -> Any:
        return account_clone(config.database, user_id)

    @kit.login
    def login(user_id: str) -> list[Cookie]:
        # In the sandbox there is no Ops to load a script from. Where there is one, real people's accounts
        # are at stake, and whoever stole the secret mustn't be able to log in as them.
        if config.kriptik_url:
            raise HostKitError("not_offered", "Sessions are minted for Ops in the sandbox only.", 501)
        with opened() as db:
            if user_get(db, user_id) is None:
                raise UnknownUser(user_id)
            return [Cookie(SESSION_COOKIE, session_mint(db, user_id))]


def _facts(db: sqlite3.Connection, user_id: str) -> dict[str, int]:
    builds, purchases = (
        db.execute(f"SELECT count(*) FROM {table} WHERE user_id = ?", (user_id,)).fetchone()[0]
        for table in ("builds", "purchases")
    )
    return {
        "balance": balance_get(db, user_id),
        "ledger": ledger_sum(db, user_id),
        "builds": builds,
        "purchases": purchases,
        "session_epoch": epoch_current(db, user_id),
    }
