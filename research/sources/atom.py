"""Atom and RSS feeds."""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from time import struct_time
from typing import Any

import feedparser

from research.fetch import FetchFailed
from research.text import SUMMARY_CHARS, TITLE_CHARS, plain_text, safe_url

MAX_ENTRIES = 200


@dataclass(frozen=True)
class FoundItem:
    """One entry, made harmless: plain text, an http(s) address."""

    url: str
    title: str
    summary: str
    published_at: datetime | None


@dataclass(frozen=True)
class Feed:
    title: str
    items: tuple[FoundItem, ...]


def feed_parse(body: bytes) -> Feed:
    """Reads a feed from its bytes (never from an address: feedparser would fetch it past the gate).

    Entries without a usable title or address are left out. Raises FetchFailed when it is no feed.
    """
    parsed: Any = feedparser.parse(body, sanitize_html=True, resolve_relative_uris=False)
    if not parsed.get("version"):
        raise FetchFailed("What came is not an Atom or RSS feed.")
    items = [item for entry in parsed.entries[:MAX_ENTRIES] if (item := _item(entry)) is not None]
    return Feed(plain_text(str(parsed.feed.get("title", "")), TITLE_CHARS), tuple(items))


def _item(entry: Any) -> FoundItem | None:
    url = safe_url(str(entry.get("link", "")))
    title = plain_text(str(entry.get("title", "")), TITLE_CHARS)
    if url is None or not title:
        return None
    contents = [str(part.get("value", "")) for part in entry.get("content", [])]
    summary = plain_text(str(entry.get("summary", "")) or " ".join(contents), SUMMARY_CHARS)
    return FoundItem(url, title, summary, _moment(entry))


def _moment(entry: Any) -> datetime | None:
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    if not isinstance(parsed, struct_time):
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None
