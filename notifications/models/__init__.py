"""What this app stores."""

from notifications.models.feed import FeedEntry

__all__ = ["FeedEntry"]
