"""Telling the owner. The row is written in the caller's transaction: no event without its alert, and back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from core import clock
from notifications.models import Channel, Delivery, DeliveryState, OwnerAlert, Priority
from notifications.signals import owner_alert_raised

DEDUPE_WINDOW_S = 3600  # the same key within an hour is one alert, counted


def owner_alert(
    *, priority: str, key: str, title: str, body: str = "", url: str = "", at: datetime | None = None
) -> OwnerAlert:
    """Tells the owner something, once an hour for each `key`.

    `url` is a path of the console. A later call with a higher priority lifts the alert and sends it out.
    Raises ValueError for an unknown priority or an empty key.
    """
    level = Priority(priority)
    if not key:
        raise ValueError("An alert needs a key, so that the same trouble is told once.")
    moment = at or clock.now()
    with transaction.atomic():
        alert, created = OwnerAlert.objects.get_or_create(
            key=key[:200],
            slot=int(moment.timestamp()) // DEDUPE_WINDOW_S,
            defaults={
                "priority": level,
                "title": title[:200],
                "body": body,
                "url": url[:300],
                "at": moment,
                "last_at": moment,
            },
        )
        if not created:
            _count_again(alert, level, moment)
        deliveries = _deliveries_open(alert, level)
        raised: dict[str, Any] = {"alert_id": alert.pk, "delivery_ids": deliveries}
        transaction.on_commit(lambda: owner_alert_raised.send_robust(sender=None, **raised) and None)
    return alert


def alert_read(*, alert_ids: Iterable[int] | None = None) -> int:
    """Marks these alerts (all, without ids) as read; returns how many were unread."""
    rows = OwnerAlert.objects.filter(read_at=None)
    if alert_ids is not None:
        rows = rows.filter(pk__in=list(alert_ids))
    return rows.update(read_at=clock.now())


def delivery_retry(*, delivery_id: int) -> bool:
    """Gives a dead letter new attempts. False when it was sent meanwhile, or is held by a worker."""
    rows = Delivery.objects.filter(pk=delivery_id, lease_token="").exclude(state=DeliveryState.SENT)
    return rows.update(state=DeliveryState.PENDING, attempts=0, run_after=clock.now()) == 1


def _count_again(alert: OwnerAlert, level: Priority, moment: datetime) -> None:
    OwnerAlert.objects.filter(pk=alert.pk).update(count=F("count") + 1, last_at=moment)
    if level < alert.priority:  # P0 sorts before P1
        OwnerAlert.objects.filter(pk=alert.pk).update(priority=level, read_at=None)
    alert.refresh_from_db()


def _deliveries_open(alert: OwnerAlert, level: Priority) -> list[int]:
    if not level.goes_out_at_once:
        return []
    delivery, created = Delivery.objects.get_or_create(alert=alert, channel=Channel.MAIL)
    return [delivery.pk] if created else []
