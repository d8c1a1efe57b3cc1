"""Public ids: a prefix that says what the thing is, then twenty time-ordered characters."""

import re
import secrets
import time

# Crockford's alphabet in lower case: no i, l, o or u, so that an id read aloud is typed right.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARS = 9  # 45 bits of milliseconds: good until the year 3084
_RANDOM_CHARS = 11  # 55 bits


def new_id(prefix: str) -> str:
    """A new unique id such as `inc_01k9x...`; ids made later sort later (to the millisecond)."""
    if not re.fullmatch(r"[a-z]{3}", prefix):
        raise ValueError(f"An id's prefix is three lower-case letters, not {prefix!r}.")
    moment = _encode(time.time_ns() // 1_000_000, _TIME_CHARS)
    return f"{prefix}_{moment}{_encode(secrets.randbits(5 * _RANDOM_CHARS), _RANDOM_CHARS)}"


def new_secret() -> str:
    """256 random bits as 43 URL-safe characters: for keys, capabilities and release tokens."""
    return secrets.token_urlsafe(32)


def _encode(number: int, length: int) -> str:
    chars = []
    for _ in range(length):
        number, digit = divmod(number, 32)
        chars.append(_ALPHABET[digit])
    return "".join(reversed(chars))
