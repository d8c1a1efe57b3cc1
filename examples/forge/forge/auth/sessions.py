"""Sessions: an unguessable token in a cookie, its hash in the database."""

import hashlib
import secrets
import sqlite3

from forge.auth.epochs import epoch_bump, epoch_for_mint
from forge.db import now_ms, write

SESSION_COOKIE = "forge_session"
SESSION_S = 14 * 24 * 3600


class SessionExpired(Exception):
    """There was a session, and it's over."""


def session_mint(db: sqlite3.Connection, user_id: str) -> str:
    """A new session's token. The caller has verified the user."""
    token = secrets.token_urlsafe(32)
    with write(db):
        epoch = epoch_for_mint(db, user_id)
        db.execute("DELETE FROM sessions WHERE expires_at <= ?", (now_ms(),))
        db.execute(
            "INSERT INTO sessions (token_hash, user_id, epoch, expires_at) VALUES (?, ?, ?, ?)",
            (_hash(token), user_id, epoch, now_ms() + SESSION_S * 1000),
        )
    return token


def session_user(db: sqlite3.Connection, token: str) -> sqlite3.Row | None:
    """The user of a session; None without one. Raises SessionExpired."""
    if not token:
        return None
    row = db.execute(
        "SELECT users.*, sessions.epoch, sessions.expires_at FROM sessions"
        " JOIN users ON users.id = sessions.user_id WHERE token_hash = ?",
        (_hash(token),),
    ).fetchone()
    if row is None:
        return None
    if row["expires_at"] <= now_ms() or row["epoch"] < row["session_epoch"]:
        raise SessionExpired
    return row


def session_end(db: sqlite3.Connection, token: str) -> None:
    with write(db):
        db.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(token),))


def sessions_end_everywhere(db: sqlite3.Connection, user_id: str) -> None:
    """Sign the user out on every device, this one as well."""
    with write(db):
        epoch_bump(db, user_id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
