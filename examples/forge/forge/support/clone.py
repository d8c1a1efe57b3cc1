"""A copy of one account for the sandbox: nobody else's rows, and nothing that says who the user is."""

import secrets
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from forge.auth.users import user_create, user_get
from forge.db import SCHEMA, connect
from werkzeug.security import generate_password_hash

from hostkit import Clone, UnknownUser

GENERIC_USER = "u_generic"
# Listed, not discovered: a table added later stays out of clones until somebody has thought about it.
# Sessions stay out (they are keys to the real account), and so does the log of actions.
USER_TABLES = ("epoch_cache", "purchases", "ledger", "builds")


def account_clone(database: Path, user_id: str | None) -> Clone:
    """One SQLite file with one account; for None a fresh generic one. Raises UnknownUser."""
    with tempfile.TemporaryDirectory(prefix="forge-clone-") as folder:
        path = Path(folder) / "forge.db"
        with closing(connect(path)) as copy:
            # Not WAL: the file has to be complete by itself.
            copy.executescript(SCHEMA.read_text())
            if user_id is None:
                user_create(
                    copy,
                    user_id=GENERIC_USER,
                    name="Generic account",
                    email="generic@clone.invalid",
                    password=secrets.token_urlsafe(24),
                )
            else:
                _copy_account(database, copy, user_id)
        return Clone(user_id or GENERIC_USER, {"forge.db": path.read_bytes()})


def _copy_account(database: Path, copy: sqlite3.Connection, user_id: str) -> None:
    with closing(connect(database)) as source:
        # One read transaction: the tables of the copy belong to one moment.
        source.execute("BEGIN")
        user = user_get(source, user_id)
        if user is None:
            raise UnknownUser(user_id)
        _insert(copy, "users", [_scrubbed(user)])
        for table in USER_TABLES:
            rows = source.execute(f"SELECT * FROM {table} WHERE user_id = ?", (user_id,)).fetchall()
            _insert(copy, table, [dict(row) for row in rows])
        source.execute("ROLLBACK")


def _scrubbed(user: sqlite3.Row) -> dict[str, object]:
    return {
        **dict(user),
        "name": "Cloned account",
        "email": f"{user['id']}@clone.invalid",
        "password_hash": generate_password_hash(secrets.token_urlsafe(24)),
    }


def _insert(copy: sqlite3.Connection, table: str, rows: list[dict[str, object]]) -> None:
    for row in rows:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        copy.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
