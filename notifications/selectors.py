"""What others read of the alerts."""

from django.db.models import Q, QuerySet

from core import leases
from notifications.models import Delivery, DeliveryState, OwnerAlert


def alerts_unread() -> QuerySet[OwnerAlert]:
    return OwnerAlert.objects.filter(read_at=None)


def deliveries_due() -> QuerySet[Delivery]:
    return Delivery.objects.filter(leases.claimable(), state=DeliveryState.PENDING)


def deliveries_dead() -> QuerySet[Delivery]:
    """What was given up: the transport refused it for good, or every attempt was used."""
    spent = Q(state=DeliveryState.PENDING, attempts__gte=leases.MAX_ATTEMPTS)
    return Delivery.objects.filter(Q(state=DeliveryState.FAILED) | spent)
