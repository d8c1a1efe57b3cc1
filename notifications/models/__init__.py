"""What this app stores."""

from notifications.models.alerts import Channel, Delivery, DeliveryState, OwnerAlert, Priority
from notifications.models.feed import FeedEntry

__all__ = ["Channel", "Delivery", "DeliveryState", "FeedEntry", "OwnerAlert", "Priority"]
