"""Leases on rows: who works on a row, until when, under which fencing token.

A claim is one conditional update, so two workers can't both hold it; every later write of the holder
names its token, so a holder that lost its lease (a long pause, a clock jump) changes nothing.
"""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q, QuerySet

from core import clock, ids

MAX_ATTEMPTS = 5  # then the row is a dead letter: visible in the console, touched by nobody


class LeaseLost(Exception):
    """Another worker holds the row now; stop quietly and write nothing."""


class Leased(models.Model):
    """Columns of a row that workers claim. `run_after` keeps it from the sweeper until then."""

    lease_token = models.CharField(max_length=64, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    run_after = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True


def claimable() -> Q:
    """Rows that nobody holds, that are due, and that have tries left."""
    now = clock.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return free & Q(run_after__lte=now, attempts__lt=MAX_ATTEMPTS)


def claim(rows: QuerySet[Any], pk: Any, seconds: float) -> str | None:
    """Claims the row for so long; returns the fencing token, or None when it can't be had now.

    The claim counts as an attempt; `release(done=True)` gives it back. So a step that kills its worker
    five times is a dead letter, and one that ends in peace never is.
    """
    token = ids.new_secret()
    until = clock.now() + timedelta(seconds=seconds)
    won = rows.filter(claimable(), pk=pk).update(
        lease_token=token, lease_until=until, attempts=F("attempts") + 1
    )
    return token if won == 1 else None


def renew(rows: QuerySet[Any], pk: Any, token: str, seconds: float) -> None:
    """Extends a held lease; raises LeaseLost when it is held no more."""
    until = clock.now() + timedelta(seconds=seconds)
    if rows.filter(pk=pk, lease_token=token).update(lease_until=until) != 1:
        raise LeaseLost(f"the lease on {pk} is lost")


def release(rows: QuerySet[Any], pk: Any, token: str, *, done: bool, delay_s: float = 0) -> bool:
    """Lets go of the row. `done`: the step ended as it should, so its attempt does not count."""
    values: dict[str, Any] = {"lease_token": "", "lease_until": None}
    values["run_after"] = clock.now() + timedelta(seconds=delay_s)
    if done:
        values["attempts"] = 0
    return bool(rows.filter(pk=pk, lease_token=token).update(**values) == 1)


def dead_letters(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows that used up their attempts and that nobody holds."""
    now = clock.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return rows.filter(free, attempts__gte=MAX_ATTEMPTS)
