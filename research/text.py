"""Making strangers' text harmless: plain, short, and without characters that hide or reorder others."""

import hashlib
import re
import unicodedata
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

TITLE_CHARS = 200
SUMMARY_CHARS = 1000
URL_CHARS = 800

_TRACKING = re.compile(r"^(utm_.*|fbclid|gclid|mc_[ce]id|ref|ref_src|igshid)$", re.I)
_UNSEEN = {"script", "style", "template", "noscript", "svg", "iframe", "object"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._hidden:
            self._hidden -= 1
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def plain_text(markup: str, limit: int) -> str:
    """The words of this markup on one line, at most `limit` characters."""
    reader = _Text()
    reader.feed(markup[: limit * 20])
    reader.close()
    text = unicodedata.normalize("NFC", "".join(reader.parts))
    # Cc: controls; Cf: zero-width and direction marks; Cs, Co: what no font and no database likes.
    seen = "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} else " " for c in text)
    words = " ".join(seen.split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def safe_url(url: str) -> str | None:
    """The address without tracking parameters and fragment; None unless it is plain http(s)."""
    try:
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            return None
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return None
    query = urlencode([(k, v) for k, v in pairs if not _TRACKING.match(k)])
    clean = urlunsplit((parts.scheme, parts.netloc.lower(), parts.path or "/", query, ""))
    return clean if len(clean) <= URL_CHARS and clean.isprintable() else None


def url_key(url: str) -> str:
    """The same article has the same key over http and https, with and without a last slash."""
    rest = url.split("://", 1)[1].rstrip("/")
    return hashlib.sha256(rest.encode()).hexdigest()
