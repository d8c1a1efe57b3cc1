"""A purchase reaches us twice: the customer comes back from the checkout, and the webhook calls."""

import sqlite3
from typing import Any

from forge.billing.ledger import balance_refresh, ledger_add, ledger_has
from forge.db import now_ms, write

# Packs on offer: credits -> price in cents.
PACKS = {100: 900, 500: 3900, 2000: 12900}


def purchase_open(db: sqlite3.Connection, purchase_id: str, user_id: str, credits: int, cents: int) -> None:
    with write(db):
        db.execute(
            "INSERT OR IGNORE INTO purchases VALUES (?, ?, ?, ?, ?)",
            (purchase_id, user_id, credits, cents, now_ms()),
        )


def purchase_returned(db: sqlite3.Connection, purchase: dict[str, Any]) -> None:
    """The customer is back and has paid: book the credits, so that the history shows them at once."""
    with write(db):
        if not ledger_has(db, purchase["id"]):
            _book(db, purchase)


def purchase_confirmed(db: sqlite3.Connection, purchase: dict[str, Any]) -> bool:
    """The webhook: settle the purchase. False when it was settled before (webhooks come at least once)."""
    with write(db):
        if ledger_has(db, purchase["id"]):
            return False
        _book(db, purchase)
        balance_refresh(db, purchase["metadata"]["user"])
        return True


def _book(db: sqlite3.Connection, purchase: dict[str, Any]) -> None:
    credits = int(purchase["metadata"]["credits"])
    ledger_add(db, purchase["metadata"]["user"], credits, f"{credits} credits", purchase["id"])
