"""The user's feed: what each user sees of each of their incidents, with a version.

Push wakes, pull guarantees: the channel layer only carries "look at this row", because it may drop or
reorder messages; whoever is woken reads the row. A lost wake-up is made good by the next one or by the
snapshot of a reconnect.
"""

import hashlib
import logging
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import IntegrityError, transaction
from django.db.models import F

from core import clock
from notifications.messages import IncidentBody, IncidentState
from notifications.models import FeedEntry

logger = logging.getLogger(__name__)

SNAPSHOT_SIZE = 20  # the newest incidents of one user; nobody looks at more in an overlay
SNAPSHOT_AGE = timedelta(days=7)


def group_name(subject: str) -> str:
    """The channel-layer group of a subject. A hash, because groups allow neither ':' nor long names."""
    return "feed." + hashlib.sha256(subject.encode()).hexdigest()[:40]


def feed_publish(*, subject: str, topic: str, state: Mapping[str, Any], keep: Collection[str] = ()) -> int:
    """Stores the state that `subject` now sees of `topic`, wakes open sockets after the commit.

    `state` is an IncidentBody as a mapping (no version). Fields named in `keep` stay as they are in the
    stored entry (a release cookie outlives the message that brought it). Returns the new version; raises
    pydantic.ValidationError for a state that the browser would not understand.
    """
    fresh = IncidentBody.model_validate(dict(state)).wire()
    with transaction.atomic():
        try:
            with transaction.atomic():
                version = _write(subject, topic, fresh, keep)
        except IntegrityError:  # another process created the row between our look and our insert
            version = _write(subject, topic, fresh, keep)
        transaction.on_commit(lambda: _wake(subject, topic, version))
    return version


def feed_entry(subject: str, topic: str) -> IncidentState | None:
    """What the subject sees of one topic now, or None."""
    row = FeedEntry.objects.filter(subject=subject, topic=topic).first()
    return _state(row) if row else None


def feed_snapshot(subject: str) -> list[IncidentState]:
    """What the subject sees now, oldest change first."""
    since = clock.now() - SNAPSHOT_AGE
    rows = FeedEntry.objects.filter(subject=subject, updated_at__gte=since).order_by("-updated_at", "-id")
    return [_state(row) for row in reversed(rows[:SNAPSHOT_SIZE])]


def feed_seen(*, subject: str, topic: str, version: int) -> bool:
    """The user has put this version away: no page and no device shows it to them again.

    A newer version is news. Returns False when the subject has no such entry or had seen it already.
    """
    rows = FeedEntry.objects.filter(subject=subject, topic=topic, version__gte=version)
    return rows.filter(seen_version__lt=version).update(seen_version=version) == 1


def feed_forget(*, subject: str | None = None, topic: str | None = None) -> int:
    """Deletes a subject's or a topic's entries (erasure, retention); returns how many."""
    if subject is None and topic is None:
        raise ValueError("feed_forget needs a subject or a topic.")
    rows = FeedEntry.objects.all()
    rows = rows.filter(subject=subject) if subject is not None else rows
    rows = rows.filter(topic=topic) if topic is not None else rows
    return rows.delete()[0]


def feed_adopt(*, old: str, new: str) -> int:
    """Moves a visitor's entries to the user who logged in, with versions that the open page accepts.

    A page that showed version 5 of an incident ignores a version 1 of it, so the count goes on from the
    higher of both. Returns how many entries moved.
    """
    with transaction.atomic():
        moved = list(FeedEntry.objects.select_for_update().filter(subject=old))
        for entry in moved:
            present = FeedEntry.objects.filter(subject=new, topic=entry.topic).first()
            entry.version = max(entry.version, present.version if present else 0) + 1
            entry.subject = new
            if present:
                present.delete()
            entry.save(update_fields=["subject", "version"])
    return len(moved)


def _write(subject: str, topic: str, fresh: dict[str, Any], keep: Collection[str]) -> int:
    """One UPDATE counts the version, so two publishers never give out the same one."""
    rows = FeedEntry.objects.filter(subject=subject, topic=topic)
    if rows.update(version=F("version") + 1, updated_at=clock.now()) == 0:
        FeedEntry.objects.create(subject=subject, topic=topic, payload=fresh)
        return 1
    # The row is ours until the commit (PostgreSQL locks it, SQLite the database), so reading is safe.
    entry = rows.get()
    kept = {name: entry.payload[name] for name in keep if name in entry.payload}
    rows.update(payload={**fresh, **kept})
    return entry.version


def _state(row: FeedEntry) -> IncidentState:
    seen = {"seen": True} if row.seen_version >= row.version else {}
    return IncidentState.model_validate({**row.payload, **seen, "version": row.version})


def _wake(subject: str, topic: str, version: int) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    wake = {"type": "feed.wake", "subject": subject, "topic": topic, "version": version}
    try:
        async_to_sync(layer.group_send)(group_name(subject), wake)
    except Exception:
        # The row is stored: the next snapshot has it. A dead broker must not fail what just committed.
        logger.exception("could not wake the sockets of %s", topic)
