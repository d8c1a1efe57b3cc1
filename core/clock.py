"""The one place that asks what time it is, so that a test can freeze it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, timezone-aware, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """The present instant in whole milliseconds since the epoch, as the wire protocol counts."""
    return to_ms(now())


def to_ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
