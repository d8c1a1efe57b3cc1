"""Accounts: created, found by id or e-mail, passwords checked and changed."""

import secrets
import sqlite3

from forge.auth.epochs import epoch_bump, epoch_cache_set
from forge.billing.ledger import SIGNUP_CREDITS, balance_refresh, ledger_add
from forge.db import now_ms, write
from werkzeug.security import check_password_hash, generate_password_hash

MIN_PASSWORD = 8
MAX_FAILURES = 10
FAILURE_WINDOW_MS = 5 * 60 * 1000


class EmailTaken(Exception):
    """There is an account with this e-mail."""


class TooManyFailures(Exception):
    """Too many wrong passwords for this e-mail in the last minutes."""


def user_create(
    db: sqlite3.Connection, *, name: str, email: str, password: str, user_id: str | None = None
) -> str:
    """The new account's id; it starts with the sign-up credits. Raises EmailTaken."""
    user_id = user_id or "u_" + secrets.token_hex(6)
    row = (user_id, email_normal(email), name.strip(), generate_password_hash(password), now_ms())
    with write(db):
        try:
            db.execute(
                "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, ?, ?)", row
            )
        except sqlite3.IntegrityError as error:
            raise EmailTaken from error
        ledger_add(db, user_id, SIGNUP_CREDITS, "Welcome to Forge", f"signup:{user_id}")
        balance_refresh(db, user_id)
    return user_id


def user_get(db: sqlite3.Connection, user_id: str) -> sqlite3.Row | None:
    return db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()


def user_verify(db: sqlite3.Connection, email: str, password: str) -> sqlite3.Row | None:
    """The user when the password is right, else None. Raises TooManyFailures."""
    email, since = email_normal(email), now_ms() - FAILURE_WINDOW_MS
    failures = db.execute(
        "SELECT count(*) FROM login_failures WHERE email = ? AND at > ?", (email, since)
    ).fetchone()[0]
    if failures >= MAX_FAILURES:
        raise TooManyFailures
    user = db.execute("SELECT * FROM users WHERE email = ?", (email,)).fetchone()
    # A hash is checked for an unknown e-mail as well: the time taken mustn't tell who has an account.
    right = check_password_hash(user["password_hash"] if user else _DUMMY_HASH, password)
    if user is not None and right:
        return user
    with write(db):
        db.execute("DELETE FROM login_failures WHERE at <= ?", (since,))
        db.execute("INSERT INTO login_failures VALUES (?, ?)", (email, now_ms()))
    return None


def password_change(db: sqlite3.Connection, user_id: str, password: str) -> None:
    """Set a new password; every session minted before stops working."""
    with write(db):
        db.execute(
            "UPDATE users SET password_hash = ? WHERE id = ?", (generate_password_hash(password), user_id)
        )
        epoch_cache_set(db, user_id, epoch_bump(db, user_id))


def email_normal(email: str) -> str:
    return email.strip().lower()


_DUMMY_HASH = generate_password_hash(secrets.token_hex(16))
