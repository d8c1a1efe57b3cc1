"""Who changed which flag, when and why: append-only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from django.db import models

from core import clock
from core.errors import Refused

if TYPE_CHECKING:
    from flags.models.flag import Flag


@dataclass(frozen=True)
class _Author:
    actor: str
    reason: str


_NOBODY = _Author("system", "no reason given")
_author: ContextVar[_Author] = ContextVar("flag author", default=_NOBODY)


@contextmanager
def flag_change(*, actor: str, reason: str) -> Iterator[None]:
    """Says who changes flags inside the block, and why; both go into the history."""
    token = _author.set(_Author(actor, reason))
    try:
        yield
    finally:
        _author.reset(token)


class FlagHistory(models.Model):
    """Every change of a flag: written in the transaction of the change, never changed afterwards."""

    flag = models.ForeignKey("flags.Flag", on_delete=models.SET_NULL, null=True, related_name="history")
    name = models.CharField(max_length=100)  # outlives the flag
    action = models.CharField(max_length=20)
    changes = models.JSONField(default=dict)
    version = models.PositiveIntegerField()
    actor = models.CharField(max_length=120)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["name", "at"], name="flag_history_of_name")]

    def __str__(self) -> str:
        return f"{self.name} {self.action} by {self.actor}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Refused("A line of flag history is never changed.", code="flag_history")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Refused("A line of flag history is never deleted.", code="flag_history")

    @classmethod
    def record(cls, flag: "Flag", action: str, changes: dict[str, Any]) -> "FlagHistory":
        author = _author.get()
        return cls.objects.create(
            flag=flag,
            name=flag.name,
            action=action,
            changes=changes,
            version=flag.version,
            actor=author.actor,
            reason=author.reason[:500],
        )
