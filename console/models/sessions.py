"""The console's sessions: who is logged in, from where, and how fresh the second factor is."""

from django.conf import settings
from django.db import models

from core import clock


class OwnerSession(models.Model):
    """One login to the console. Only a hash of the session key is kept, so a leaked row opens nothing."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="owner_sessions"
    )
    key_hash = models.CharField(max_length=64, unique=True)
    started_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)
    verified_at = models.DateTimeField(
        default=clock.now, help_text="When the second factor was last given; dangerous acts want it fresh."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.user} from {self.ip or 'unknown'}"
