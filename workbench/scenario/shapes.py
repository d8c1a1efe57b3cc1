"""Two normal forms of recorded text: a masked value becomes a synthetic one, an id in a path becomes
`:id`.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Browsers refuse dates and times that do not exist.
_CALENDAR = {
    "9999-99-99": "2026-03-17",
    "9999-99-99T99:99": "2026-03-17T10:30",
    "9999-99": "2026-03",
    "9999-A99": "2026-W12",
    "99:99": "10:30",
}
_ID = re.compile(
    r"^(\d+|[0-9a-fA-F]{8,}|[0-9a-fA-F-]{32,36}|[A-Za-z]{2,5}_[A-Za-z0-9]{6,}|(?=.*\d)[A-Za-z0-9_-]{16,})$"
)
_VARYING = re.compile(r"https?://[^\s'\"<>)]+|0x[0-9a-fA-F]+|\d+")


def synthetic(shape: str) -> str:
    """A value of the recorded shape (a: letter, A: capital, 9: digit, anything else itself), the same every
    time.

    Letters and digits advance so that a value does not look like one key held down: aaa 99 -> abc 12.
    """
    if shape in _CALENDAR:
        return _CALENDAR[shape]
    out: list[str] = []
    letters = digits = 0
    for char in shape:
        if char in "aA":
            letter = _LETTERS[letters % 26]
            out.append(letter.upper() if char == "A" else letter)
            letters += 1
        elif char == "9":
            digits += 1
            out.append(str(digits % 10))
        else:
            out.append(char)
    return "".join(out)


def path_pattern(url: str) -> str:
    """The path of a URL or path with id-like segments as `:id`; `/jobs/41?x=1` -> `/jobs/:id`."""
    path = urlsplit(url).path or "/"
    parts = [":id" if part == ":id" or _ID.match(part) else part for part in path.split("/")]
    return "/".join(parts)


def local_path(url: str) -> str:
    """Path and query of a URL, without origin and fragment; what a browser can open on any port."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def message_pattern(text: str) -> str:
    """A message without what differs from run to run: addresses, numbers, spacing."""
    return re.sub(r"\s+", " ", _VARYING.sub("#", text)).strip()[:500]


def path_matches(pattern: str, url: str) -> bool:
    """Does the URL's path fit the pattern? `:id` stands for any one segment, recorders differ in what
    they call an id.
    """
    wanted, found = path_pattern(pattern).split("/"), path_pattern(url).split("/")
    return len(wanted) == len(found) and all(w == f or w == ":id" for w, f in zip(wanted, found, strict=True))


def status_class(status: int) -> str:
    """`404` -> `4xx`; 0 (no answer came) stays `0`."""
    return f"{status // 100}xx" if status >= 100 else "0"
