"""The audit log: rows chained by an HMAC, so that a changed row can't hide."""

from typing import Any, NoReturn

from django.db import models

from core import clock


class AuditEntry(models.Model):
    """One thing that somebody did, or tried. Written only by console.audit.audit_write."""

    sequence = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField(default=clock.now)
    actor = models.CharField(max_length=150, help_text="Who did it; empty when nobody was logged in.")
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=200, blank=True, help_text="What it was done to.")
    detail = models.JSONField(default=dict, blank=True)
    ip = models.CharField(max_length=64, blank=True)
    previous = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering = ["-sequence"]
        indexes = [
            # The login's brake counts an address's failures of the last minutes.
            models.Index(fields=["action", "ip", "at"], name="audit_action_ip_at"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An audit entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("An audit entry is never deleted.")


class AuditHead(models.Model):
    """The chain's end, one row: what two writers at once queue up on."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.PositiveBigIntegerField(default=0)
    mac = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_head_is_one_row")]

    def __str__(self) -> str:
        return f"head at {self.sequence}"
