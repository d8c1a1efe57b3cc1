"""Who may be in the console: a staff user with a verified second factor, in a session that is still fresh."""

import hashlib
from datetime import timedelta
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest
from django_otp import devices_for_user
from django_otp.plugins.otp_static.models import StaticDevice

from console.models import AuditEntry, OwnerSession
from core import clock

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
FRESH = timedelta(minutes=5)  # how old a second factor may be for a dangerous act
TOUCH_EVERY = timedelta(seconds=30)  # one write per click would be a write for nothing
BRAKE_WINDOW = timedelta(minutes=15)
BRAKE_FAILURES = 10


def owner_verified(user: Any) -> bool:
    """Whether this user of a request is the owner with the second factor given."""
    return bool(user and user.is_active and user.is_staff and second_factor_given(user))


def second_factor_given(user: Any) -> bool:
    """django-otp's middleware puts `is_verified` on the request's user; without it the answer is no."""
    verified = getattr(user, "is_verified", None)
    return verified is not None and bool(verified())


def client_ip(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def actor_name(request: HttpRequest) -> str:
    return request.user.get_username() if request.user.is_authenticated else ""


def key_hash(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()


def session_begin(request: HttpRequest) -> OwnerSession:
    """Records a login; the session's key was made new by Django's login just before."""
    return OwnerSession.objects.create(
        user=cast(User, request.user),
        key_hash=key_hash(request.session.session_key or ""),
        ip=client_ip(request),
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:300],
    )


def session_of(session_key: str | None) -> OwnerSession | None:
    if not session_key:
        return None
    return OwnerSession.objects.filter(key_hash=key_hash(session_key), ended_at=None).first()


def session_fault(session: OwnerSession | None) -> str:
    """Why this session is over, in words for the person; empty while it holds."""
    if session is None:
        return "Your session has ended. Please log in again."
    now = clock.now()
    if now - session.seen_at > IDLE:
        return "You were away for more than 30 minutes. Please log in again."
    if now - session.started_at > ABSOLUTE:
        return "Your session is twelve hours old. Please log in again."
    return ""


def session_touch(session: OwnerSession) -> None:
    if clock.now() - session.seen_at > TOUCH_EVERY:
        OwnerSession.objects.filter(pk=session.pk).update(seen_at=clock.now())


def session_end(session: OwnerSession, reason: str) -> None:
    OwnerSession.objects.filter(pk=session.pk, ended_at=None).update(
        ended_at=clock.now(), end_reason=reason[:64]
    )


def second_factor_is_fresh(request: HttpRequest) -> bool:
    session = session_of(request.session.session_key)
    return session is not None and clock.now() - session.verified_at <= FRESH


def second_factor_renewed(request: HttpRequest) -> None:
    OwnerSession.objects.filter(key_hash=key_hash(request.session.session_key or "")).update(
        verified_at=clock.now()
    )


def too_many_failures(ip: str) -> bool:
    """The login's brake. By address, not by name: else anybody could lock the owner out."""
    since = clock.now() - BRAKE_WINDOW
    failures = AuditEntry.objects.filter(
        Q(action="login.failed") | Q(action="sudo.failed"), ip=ip, at__gte=since
    )
    return failures.count() >= BRAKE_FAILURES


def token_verify(user: Any, token: str) -> Any:
    """The device that this one-time code belongs to, or None.

    Six digits are asked of the authenticator apps, anything else of the recovery codes: asking every
    device in turn would count a failure against those that were never meant.
    """
    token = token.replace(" ", "").replace("-", "").lower()
    if not token:
        return None
    wants_static = not (token.isdigit() and len(token) == 6)
    for device in devices_for_user(user):
        if isinstance(device, StaticDevice) is not wants_static:
            continue
        if device.verify_is_allowed()[0] and device.verify_token(token):
            return device
    return None
