"""Sending what lies in the outbox: at least once, by whoever holds the row's lease."""

import logging
import secrets

from core import clock, leases
from notifications.models import Delivery, DeliveryState
from notifications.selectors import deliveries_due
from notifications.transports import TRANSPORTS, TransportError

logger = logging.getLogger(__name__)

LEASE_S = 60
BACKOFF_S = 10  # then 40, 160, 640
BATCH = 50


def delivery_send(delivery_id: int) -> bool:
    """Sends one delivery if it is due and free. True when it went out in this call.

    A crash between the sending and the update sends it again: a doubled alert is better than none, and
    the message id is the same.
    """
    pending = Delivery.objects.filter(state=DeliveryState.PENDING)
    token = leases.claim(pending, delivery_id, LEASE_S)
    if token is None:
        return False
    held = Delivery.objects.filter(pk=delivery_id, lease_token=token)
    delivery = held.select_related("alert").get()
    try:
        TRANSPORTS[delivery.channel](delivery)
    except TransportError as error:
        _failed(delivery, token, error)
        return False
    held.update(state=DeliveryState.SENT, sent_at=clock.now(), error="", lease_token="", lease_until=None)
    return True


def deliver_due() -> int:
    """Sends what is due; returns how many went out."""
    due = deliveries_due().order_by("run_after").values_list("pk", flat=True)[:BATCH]
    return sum(delivery_send(pk) for pk in list(due))


def _failed(delivery: Delivery, token: str, error: TransportError) -> None:
    held = Delivery.objects.filter(pk=delivery.pk, lease_token=token)
    given_up = error.permanent or delivery.attempts >= leases.MAX_ATTEMPTS
    held.update(error=str(error)[:500], state=DeliveryState.FAILED if given_up else DeliveryState.PENDING)
    delay = BACKOFF_S * 4 ** (delivery.attempts - 1) * (1 + secrets.randbelow(250) / 1000)
    leases.release(Delivery.objects.all(), delivery.pk, token, done=False, delay_s=delay)
    logger.warning(
        "delivery %s failed (%s): %s", delivery.pk, "given up" if given_up else "again later", error
    )
