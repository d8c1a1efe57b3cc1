"""Credits: the ledger is the truth, `users.balance` its sum kept ready for every page."""

import sqlite3

from forge.db import now_ms

SIGNUP_CREDITS = 50


class NotEnoughCredits(Exception):
    """The balance doesn't cover the price."""


def ledger_add(db: sqlite3.Connection, user_id: str, credits: int, reason: str, reference: str) -> None:
    """One row, never changed again. `reference` is unique: the same event can't be booked twice."""
    db.execute(
        "INSERT INTO ledger (user_id, credits, reason, reference, created_at) VALUES (?, ?, ?, ?, ?)",
        (user_id, credits, reason, reference, now_ms()),
    )


def ledger_has(db: sqlite3.Connection, reference: str) -> bool:
    return db.execute("SELECT 1 FROM ledger WHERE reference = ?", (reference,)).fetchone() is not None


def ledger_sum(db: sqlite3.Connection, user_id: str) -> int:
    row = db.execute("SELECT coalesce(sum(credits), 0) FROM ledger WHERE user_id = ?", (user_id,))
    return int(row.fetchone()[0])


def ledger_rows(db: sqlite3.Connection, user_id: str, limit: int = 12) -> list[sqlite3.Row]:
    query = "SELECT * FROM ledger WHERE user_id = ? ORDER BY id DESC LIMIT ?"
    return db.execute(query, (user_id, limit)).fetchall()


def balance_get(db: sqlite3.Connection, user_id: str) -> int:
    return int(db.execute("SELECT balance FROM users WHERE id = ?", (user_id,)).fetchone()[0])


def balance_set(db: sqlite3.Connection, user_id: str, balance: int) -> None:
    db.execute("UPDATE users SET balance = ? WHERE id = ?", (balance, user_id))


def balance_refresh(db: sqlite3.Connection, user_id: str) -> None:
    balance_set(db, user_id, ledger_sum(db, user_id))


def credits_spend(db: sqlite3.Connection, user_id: str, credits: int, reason: str, reference: str) -> None:
    """Book a price. Raises NotEnoughCredits; the condition in the update holds against a second tab."""
    spent = db.execute(
        "UPDATE users SET balance = balance - ? WHERE id = ? AND balance >= ?", (credits, user_id, credits)
    )
    if spent.rowcount == 0:
        raise NotEnoughCredits
    ledger_add(db, user_id, -credits, reason, reference)
