"""Where used nonces are kept, so that a captured request can't be sent twice."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Protocol


class NonceStore(Protocol):
    """Remembers nonces; `use` must be atomic across every process that shares the secret."""

    def use(self, nonce: str, *, now: float, keep_s: float) -> bool:
        """True the first time this nonce is seen, False ever after (until `keep_s` seconds have passed)."""
        ...


class MemoryNonceStore:
    """For a host that runs as one process."""

    def __init__(self) -> None:
        self._expiry: dict[str, float] = {}
        self._lock = threading.Lock()

    def use(self, nonce: str, *, now: float, keep_s: float) -> bool:
        with self._lock:
            self._expiry = {known: until for known, until in self._expiry.items() if until > now}
            if nonce in self._expiry:
                return False
            self._expiry[nonce] = now + keep_s
            return True


class SqliteNonceStore:
    """For a host whose processes share a disk, such as a stable release and a candidate beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def use(self, nonce: str, *, now: float, keep_s: float) -> bool:
        with closing(sqlite3.connect(self._path, timeout=10)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, until REAL NOT NULL)")
            db.execute("DELETE FROM nonces WHERE until <= ?", (now,))
            row = db.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?)", (nonce, now + keep_s))
            return row.rowcount == 1
