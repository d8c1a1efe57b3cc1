"""Flags: waffle's model and names, with what makes waffle unsafe as a gate taken out.

Measured on waffle 5.0: its percentage is random per browser, its cookie lets anybody in, a superuser always
gets the unverified fix, 100 % can't be said, `is_active_for_user` and stale caches outlive a kill, and an
`update()` leaves neither cache nor history right. Here: the kill comes first on every path, the percentage is
a salted hash of the user, every read is one indexed query (a cache would have to be right at once for a kill
to be one, and this is not a hot path), and no change goes without its line of history.
"""

from typing import Any, NoReturn, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models.signals import m2m_changed
from django.dispatch import receiver
from django.http import HttpRequest
from waffle.managers import FlagManager as WaffleFlagManager
from waffle.models import AbstractUserFlag
from waffle.utils import get_setting

from core import clock, ids
from core.errors import Refused
from flags.bucketing import in_share
from flags.models.flag_history import FlagHistory, flag_change


def _refuse(what: str) -> NoReturn:
    raise Refused(
        f"{what} would change flags without a line of history. Save or delete each flag by itself.",
        code="flag_history",
    )


class FlagQuerySet(models.QuerySet["Flag"]):
    """Reads as always; writes only through the model."""

    def update(self, **_: Any) -> NoReturn:
        _refuse("update()")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        _refuse("bulk_update()")

    def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
        _refuse("bulk_create()")

    def delete(self) -> NoReturn:
        _refuse("delete() on a query")


class Flag(AbstractUserFlag):
    """A feature flag. Off for everyone while `killed`, whatever else it says."""

    superusers = models.BooleanField(default=False, help_text="Always on for superusers?")
    percent = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="The share of users it is on for, 0 to 100, always the same ones.",
    )
    killed = models.BooleanField(default=False, help_text="Off for everyone, before any other rule.")
    salt = models.CharField(max_length=64, default=ids.new_secret, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)

    objects = WaffleFlagManager.from_queryset(FlagQuerySet)()  # type: ignore[misc]

    class Meta(AbstractUserFlag.Meta):
        abstract = False

    # --- Reading -------------------------------------------------------------------------------------

    @classmethod
    def get(cls, name: str) -> Self:
        try:
            return cls.get_from_db(name)
        except cls.DoesNotExist:
            return cls(name=name)

    @classmethod
    def get_all(cls) -> list[Self]:
        return cls.get_all_from_db()

    @property
    def is_killed(self) -> bool:
        return self.killed or self.everyone is False

    def is_active(self, request: HttpRequest, read_only: bool = False) -> bool | None:
        """waffle's question, asked by its decorators and template tags."""
        if not self.pk:
            return super().is_active(request, read_only=read_only)
        if self.is_killed:
            return False
        override = self.override_of(key_of_user(getattr(request, "user", None)))
        # The query string is asked only where the settings allow it (WAFFLE_OVERRIDE, off by default).
        if override is not None and not get_setting("OVERRIDE"):
            return override
        return super().is_active(request, read_only=read_only)

    def is_active_for_user(self, user: Any) -> bool | None:
        if self.is_killed:
            return False
        key = key_of_user(user)
        override = self.override_of(key)
        if override is not None:
            return override
        if super().is_active_for_user(user):
            return True
        return True if self._in_percent(key) else None

    def is_active_for_key(self, key: str | None) -> bool:
        """For a user of a host (`host:1:user:u1`), who is no Django user of ours."""
        if not self.pk or self.is_killed:
            return False
        override = self.override_of(key)
        if override is not None:
            return override
        return bool(self.everyone) or self._in_percent(key)

    def override_of(self, key: str | None) -> bool | None:
        if not key:
            return None
        row = self.overrides.filter(key=key).first()
        return None if row is None or row.is_over else row.active

    def _in_percent(self, key: str | None) -> bool:
        return in_share(self.salt, key, float(self.percent or 0))

    def _is_active_for_percent(self, request: HttpRequest, read_only: bool) -> bool | None:
        # No cookie is read or set: waffle's is unsigned, so anybody could let themselves in.
        return True if self._in_percent(key_of_user(getattr(request, "user", None))) else None

    def _get_user_ids(self) -> set[Any]:
        return set(self.users.values_list("pk", flat=True))

    def _get_group_ids(self) -> set[Any]:
        return set(self.groups.values_list("pk", flat=True))

    # --- Writing -------------------------------------------------------------------------------------

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            before = type(self).objects.select_for_update().filter(pk=self.pk).first() if self.pk else None
            changes = _changes(before, self)
            if before is not None and changes:
                self.version = before.version + 1
                if kwargs.get("update_fields") is not None:
                    kwargs["update_fields"] = {*kwargs["update_fields"], "version", "modified"}
            super().save(*args, **kwargs)
            if before is None or changes:
                FlagHistory.record(self, "changed" if before else "created", changes)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            FlagHistory.record(self, "deleted", {})
            return super().delete(*args, **kwargs)

    def flush(self) -> None:
        """Nothing is cached, so nothing can be stale; waffle's test overrides call this."""


def key_of_user(user: Any) -> str | None:
    """What a Django user is hashed and overridden by; None for somebody we can't recognise again."""
    if user is None or not getattr(user, "is_authenticated", False):
        return None
    return f"user:{user.pk}"


_UNRECORDED = {"id", "created", "modified", "version", "salt"}


def _changes(before: Flag | None, after: Flag) -> dict[str, list[Any]]:
    """{field: [before, after]} of what differs, as JSON."""
    names = [f.attname for f in Flag._meta.concrete_fields if f.attname not in _UNRECORDED]
    if before is None:
        before = Flag()
    pairs = {name: (_plain(name, before), _plain(name, after)) for name in names}
    return {name: [a, b] for name, (a, b) in pairs.items() if a != b}


def _plain(name: str, flag: Flag) -> Any:
    field = Flag._meta.get_field(name)
    assert isinstance(field, models.Field)
    value = field.to_python(getattr(flag, name))
    return value if value is None or isinstance(value, bool | int | str) else str(float(value))


class FlagOverride(models.Model):
    """One user's own answer, stronger than every rule but the kill."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="overrides")
    key = models.CharField(max_length=255, help_text="user:<id> here, host:<id>:user:<sub> at a host.")
    active = models.BooleanField()
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=120)
    at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flag", "key"], name="flag_override_once")]

    def __str__(self) -> str:
        return f"{self.flag_id} {'on' if self.active else 'off'} for {self.key}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            before = FlagOverride.objects.filter(pk=self.pk).first() if self.pk else None
            super().save(*args, **kwargs)
            self._record(before.active if before else None, self.active)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            self._record(self.active, None)
            return super().delete(*args, **kwargs)

    @property
    def is_over(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()

    def _record(self, before: bool | None, after: bool | None) -> None:
        until = self.expires_at.isoformat() if self.expires_at else None
        with flag_change(actor=self.actor, reason=self.reason):
            FlagHistory.record(self.flag, "override", {self.key: [before, after], "expires_at": until})


@receiver(m2m_changed, sender=Flag.users.through, dispatch_uid="flags.users")
@receiver(m2m_changed, sender=Flag.groups.through, dispatch_uid="flags.groups")
def _membership_recorded(
    sender: type[models.Model], instance: Any, action: str, reverse: bool, pk_set: set[Any] | None, **_: Any
) -> None:
    """Users and groups are lists beside the row, so their changes come this way."""
    if not action.startswith("post_") or (pk_set is not None and not pk_set):
        return
    what = "users" if sender is Flag.users.through else "groups"
    members = sorted(map(str, pk_set or ()))
    flags = Flag.objects.filter(pk__in=pk_set or ()) if reverse else [instance]
    for flag in flags:
        named = [str(instance.pk)] if reverse else members
        FlagHistory.record(flag, "changed", {what: {action.removeprefix("post_"): named}})
