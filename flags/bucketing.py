"""Who falls into which share of the users: a pure function of a salt and a key.

Deterministic, so that one user has one answer on every machine and every visit; salted, so that it is not
always the same unlucky people who go first; monotone, so that 10 % stay inside when 10 % becomes 50 %.
"""

import hashlib


def bucket(salt: str, key: str) -> float:
    """The place of `key` in [0, 1), evenly spread over keys, independent between salts."""
    digest = hashlib.sha256(salt.encode() + b"\0" + key.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def in_share(salt: str, key: str | None, percent: float) -> bool:
    """Whether `key` is among the first `percent` (0 to 100) of all.

    A missing key is outside whatever the percentage: somebody we can't recognise again would change
    sides between two requests, so he stays on stable.
    """
    if not key:
        return False
    if not 0 <= percent <= 100:
        raise ValueError(f"A share is between 0 and 100 percent, not {percent}.")
    return bucket(salt, key) < percent / 100
