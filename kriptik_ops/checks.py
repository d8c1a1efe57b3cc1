"""System checks: contradictions between settings, each with an id and what to do about it."""

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured


@register()
def a_secret_key_exists(**_: Any) -> list[CheckMessage]:
    try:
        settings.SECRET_KEY  # noqa: B018 (reading an empty one raises)
    except ImproperlyConfigured:
        hint = "Run `manage.py up` once, which makes one, or set KRIPTIK_SECRET_KEY (or _FILE)."
        return [Error("There is no secret key.", hint=hint, id="kriptik.E001")]
    return []


@register()
def settings_agree(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not 0 < settings.ROLLOUT_CLOCK <= 1:
        found.append(
            Error(
                f"KRIPTIK_ROLLOUT_CLOCK is {settings.ROLLOUT_CLOCK}.",
                hint="It multiplies the rollout's durations: more than 0, at most 1 (real time).",
                id="kriptik.E002",
            )
        )
    if settings.SANDBOX_ENGINE != "bwrap":
        found.append(
            Error(
                f"KRIPTIK_SANDBOX is {settings.SANDBOX_ENGINE!r}.",
                hint="Only bwrap is built in; without a sandbox no untrusted fix is run.",
                id="kriptik.E003",
            )
        )
    if settings.GATEWAY_ENGINE not in {"haproxy", "inprocess"}:
        found.append(
            Error(
                f"KRIPTIK_GATEWAY is {settings.GATEWAY_ENGINE!r}.",
                hint="It is haproxy, or inprocess in tests.",
                id="kriptik.E004",
            )
        )
    if settings.OWNER_TIME_ZONE not in available_timezones():
        found.append(
            Error(
                f"KRIPTIK_OWNER_TIME_ZONE is {settings.OWNER_TIME_ZONE!r}.",
                hint="Write a name such as Europe/Berlin.",
                id="kriptik.E005",
            )
        )
    if settings.ROLLOUT_CLOCK < 1 and settings.PUBLIC_URL.startswith("https://"):
        found.append(
            Warning(
                "The rollout's clock is shortened on what looks like a public installation.",
                hint="Unset KRIPTIK_ROLLOUT_CLOCK: it is meant for the demo.",
                id="kriptik.W001",
            )
        )
    return found
