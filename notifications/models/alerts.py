"""What the owner is told, and each way it goes to them."""

from django.db import models
from django.db.models import Q

from core import clock
from core.leases import MAX_ATTEMPTS, Leased


class Priority(models.TextChoices):
    """How loud an alert is. P0 and P1 go out at once; the others wait in the bell."""

    P0 = "P0"  # everybody is affected, or something that we rolled out does harm
    P1 = "P1"  # somebody's money, login or core action; or a decision that holds up a heal
    P2 = "P2"  # good to know today
    P3 = "P3"  # good to know

    @property
    def goes_out_at_once(self) -> bool:
        return self in {Priority.P0, Priority.P1}


class OwnerAlert(models.Model):
    """One thing to tell the owner, and the bell's row: unread until `read_at`.

    The same `key` within one slot of time is one alert that counts how often it was raised.
    """

    key = models.CharField(max_length=200)
    slot = models.PositiveBigIntegerField()
    priority = models.CharField(max_length=2, choices=Priority)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True, help_text="Where in the console this is dealt with.")
    count = models.PositiveIntegerField(default=1)
    at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["key", "slot"], name="alert_once_per_slot")]
        indexes = [
            models.Index(
                fields=["-last_at"], condition=Q(read_at__isnull=True), name="alert_bell"
            ),  # the bell counts and lists what is unread
        ]

    def __str__(self) -> str:
        return f"{self.priority} {self.title}"


class Channel(models.TextChoices):
    """A way to the owner that leaves this machine's console."""

    MAIL = "mail"  # Django's e-mail backend: a file mailbox, or SMTP when configured


class DeliveryState(models.TextChoices):
    PENDING = "pending"  # nobody has confirmed it yet; the sweeper tries while attempts are left
    SENT = "sent"  # the transport took it
    FAILED = "failed"  # given up; the console shows it as a dead letter


class Delivery(Leased):
    """The outbox: one alert on its way through one channel."""

    alert = models.ForeignKey(OwnerAlert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=16, choices=Channel)
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    error = models.CharField(max_length=500, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["alert", "channel"], name="delivery_once_per_channel")]
        indexes = [
            models.Index(
                fields=["run_after"], condition=~Q(state=DeliveryState.SENT), name="delivery_outbox"
            ),  # the sweeper's query, and the dead letters'
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.alert}"

    @property
    def is_dead(self) -> bool:
        pending = self.state == DeliveryState.PENDING
        return self.state == DeliveryState.FAILED or (pending and self.attempts >= MAX_ATTEMPTS)
