"""Builds: what the model made for a user."""

import json
import secrets
import sqlite3
from typing import Any

from forge.billing.ledger import credits_spend
from forge.db import now_ms, write

BUILD_PRICE = 1


def build_add(db: sqlite3.Connection, user_id: str, prompt: str, app: dict[str, Any]) -> str:
    """Store a build and book its price together; returns the build's id. Raises NotEnoughCredits."""
    build_id = "b_" + secrets.token_hex(6)
    row = (build_id, user_id, prompt, app["title"], json.dumps(app["steps"]), app["html"], now_ms())
    with write(db):
        credits_spend(db, user_id, BUILD_PRICE, f"Built “{app['title']}”", build_id)
        db.execute("INSERT INTO builds VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return build_id


def build_get(db: sqlite3.Connection, user_id: str, build_id: str) -> dict[str, Any] | None:
    """One build of this user; somebody else's is as unknown as one that never was."""
    query = "SELECT * FROM builds WHERE id = ? AND user_id = ?"
    row = db.execute(query, (build_id, user_id)).fetchone()
    if row is None:
        return None
    return {
        "id": row["id"],
        "title": row["title"],
        "prompt": row["prompt"],
        "steps": json.loads(row["steps"]),
        "html": row["html"],
    }


def builds_recent(db: sqlite3.Connection, user_id: str, limit: int = 8) -> list[sqlite3.Row]:
    query = (
        "SELECT id, title, prompt, created_at FROM builds WHERE user_id = ? ORDER BY created_at DESC LIMIT ?"
    )
    return db.execute(query, (user_id, limit)).fetchall()
