"""The ways to the owner. A transport sends one delivery or raises TransportError."""

from collections.abc import Callable

from notifications.models import Channel, Delivery
from notifications.transports import mail
from notifications.transports.errors import TransportError

TRANSPORTS: dict[str, Callable[[Delivery], None]] = {Channel.MAIL: mail.send}

__all__ = ["TRANSPORTS", "TransportError"]
