"""A user's session epoch: sessions that carry an older one are over."""

import sqlite3


def epoch_current(db: sqlite3.Connection, user_id: str) -> int:
    return int(db.execute("SELECT session_epoch FROM users WHERE id = ?", (user_id,)).fetchone()[0])


def epoch_bump(db: sqlite3.Connection, user_id: str) -> int:
    """End all sessions of the user; returns the new epoch."""
    db.execute("UPDATE users SET session_epoch = session_epoch + 1 WHERE id = ?", (user_id,))
    return epoch_current(db, user_id)


def epoch_for_mint(db: sqlite3.Connection, user_id: str) -> int:
    """The epoch that a new session gets, cached: logging in shouldn't wait for the users table."""
    cached = epoch_cached(db, user_id)
    if cached is not None:
        return cached
    epoch = epoch_current(db, user_id)
    epoch_cache_set(db, user_id, epoch)
    return epoch


def epoch_cached(db: sqlite3.Connection, user_id: str) -> int | None:
    row = db.execute("SELECT epoch FROM epoch_cache WHERE user_id = ?", (user_id,)).fetchone()
    return None if row is None else int(row["epoch"])


def epoch_cache_set(db: sqlite3.Connection, user_id: str, epoch: int | None) -> None:
    """None empties the cache for this user: the next session reads the users table again."""
    if epoch is None:
        db.execute("DELETE FROM epoch_cache WHERE user_id = ?", (user_id,))
    else:
        db.execute("INSERT OR REPLACE INTO epoch_cache (user_id, epoch) VALUES (?, ?)", (user_id, epoch))
