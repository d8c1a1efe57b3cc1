"""Scrubbing of personal data and secrets from values that other people wrote.

Runs on the server before anything is stored, whatever the browser has masked already: a client can be
forged, and a stack trace can carry a token that no client-side rule knows.
"""

import re
from typing import Any

MASK = "[scrubbed]"

_SENSITIVE_KEY = re.compile(
    r"passw|secret|token|authori[sz]ation|cookie|api[-_]?key|credential|card[-_]?n|cvv|cvc|iban|ssn", re.I
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.I)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_KEYS = re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abp]|AKIA)[-_]?[A-Za-z0-9_-]{16,}")
_EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,24}\b")
_CARD = re.compile(r"\b(?:\d[ -]?){13,19}\b")
_QUERY_SECRET = re.compile(r"([?&](?:token|key|code|secret|password|sig|signature)=)[^&\s#]+", re.I)

MAX_DEPTH = 12


def scrub_text(text: str) -> str:
    """The text with e-mail addresses, cards (Luhn), tokens and keys replaced."""
    text = _QUERY_SECRET.sub(rf"\1{MASK}", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _KEYS.sub(MASK, text)
    text = _EMAIL.sub(MASK, text)
    return _CARD.sub(_mask_card, text)


def scrub(value: Any, depth: int = 0) -> Any:
    """A scrubbed copy of JSON-like data: values under telling keys whole, other text by pattern."""
    if depth > MAX_DEPTH:
        return MASK
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, dict):
        return {k: _scrub_item(str(k), v, depth) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(item, depth + 1) for item in value]
    return value


def _scrub_item(key: str, value: Any, depth: int) -> Any:
    if _SENSITIVE_KEY.search(key) and isinstance(value, str) and value:
        return MASK
    return scrub(value, depth + 1)


def _mask_card(match: re.Match[str]) -> str:
    digits = [int(c) for c in match.group() if c.isdigit()]
    doubled = [d * 2 - 9 if d * 2 > 9 else d * 2 for d in digits[-2::-2]]
    # Order numbers and timestamps have as many digits; only what passes Luhn can be a card.
    return MASK if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else match.group()
