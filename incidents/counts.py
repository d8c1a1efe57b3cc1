"""Counting what was let go at the door, so that the owner can see it and nothing vanishes silently."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import F

from core import clock
from incidents.models import IntakeCount


def count(host_id: int, counts: Mapping[str, int]) -> None:
    """Adds to today's counters; zeros cost nothing."""
    for name, number in counts.items():
        if number:
            _add(host_id, name[:60], number)


def _add(host_id: int, name: str, number: int) -> None:
    key = {"host_id": host_id, "day": clock.now().date(), "name": name}
    rows = IntakeCount.objects.filter(**key)
    if rows.update(count=F("count") + number):
        return
    try:
        with transaction.atomic():
            IntakeCount.objects.create(**key, count=number)
    except IntegrityError:  # another process was first today
        rows.update(count=F("count") + number)
