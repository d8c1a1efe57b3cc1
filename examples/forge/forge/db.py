"""SQLite: one connection per request, writes in immediate transactions."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app, g

SCHEMA = Path(__file__).with_name("schema.sql")


def now_ms() -> int:
    return int(time.time() * 1000)


def connect(path: Path) -> sqlite3.Connection:
    # isolation_level=None: transactions begin where `write` says, not where the driver guesses.
    db = sqlite3.connect(path, timeout=10, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    return db


def create(path: Path) -> None:
    """Make the database, or bring nothing but missing tables to one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = connect(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA.read_text())
    finally:
        db.close()


@contextmanager
def write(db: sqlite3.Connection) -> Iterator[None]:
    """IMMEDIATE, because a transaction that reads first and then writes can't be retried by SQLite itself."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def request_db() -> sqlite3.Connection:
    if "db" not in g:
        g.db = connect(current_app.config["FORGE"].database)
    return g.db


def close_request_db(_error: BaseException | None = None) -> None:
    db = g.pop("db", None)
    if db is not None:
        db.close()
