"""One visit of one user in one browser."""

from datetime import datetime

from django.db import models

from core import clock, ids
from incidents.models.host import Host


def new_session_id() -> str:
    return ids.new_id("ses")


class Session(models.Model):
    """`subject` says whose feed this visit sees: the verified user's, or its own.

    The capability is 256 random bits that the browser keeps; we keep the hash, so that a copy of the
    database opens no feed.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_session_id, editable=False)
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="sessions")
    capability_hash = models.CharField(max_length=64, unique=True)
    subject = models.CharField(max_length=255)
    user = models.CharField(max_length=200, blank=True, default="")  # the identity's `sub`
    claims = models.JSONField(default=dict, blank=True)  # plan, role
    verified_until = models.DateTimeField(null=True, blank=True)  # the identity's expiry
    locale = models.CharField(max_length=35, blank=True, default="")
    user_agent = models.CharField(max_length=400, blank=True, default="")
    sdk = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)
    last_seen = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["subject"], name="session_of_subject"),  # evidence, erasure
            models.Index(fields=["last_seen"], name="session_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.id} of {self.user or 'a visitor'}"

    @property
    def own_subject(self) -> str:
        """The subject of this visit alone, whoever logged in later."""
        return f"host:{self.host_id}:session:{self.id}"

    def is_verified(self, at: datetime | None = None) -> bool:
        """Whether a host-signed identity vouches for this visit now."""
        return self.verified_until is not None and self.verified_until > (at or clock.now())
