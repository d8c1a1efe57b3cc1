"""The user's feed: one row per subject and topic, holding what that user sees of it now."""

from django.db import models

from core import clock


class FeedEntry(models.Model):
    """The present state, not a log: a reconnect needs what is true now, and the higher version wins.

    `subject` says who may see it (`host:3:user:u1`, `host:3:session:ses_...`), `topic` what it is about
    (an incident's id), `payload` is an IncidentBody without the version.
    """

    subject = models.CharField(max_length=255)
    topic = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    payload = models.JSONField()
    seen_version = models.PositiveIntegerField(default=0)  # the last one that its user put away
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            # Also the index of both reads: one entry (a wake-up) and a subject's snapshot.
            models.UniqueConstraint(fields=["subject", "topic"], name="feed_one_entry_per_topic"),
        ]
        indexes = [models.Index(fields=["updated_at"], name="feed_retention")]

    def __str__(self) -> str:
        return f"{self.topic} v{self.version} for {self.subject}"
