"""Opening a visit and saying who it is."""

from dataclasses import dataclass

from django.db import transaction

from core import clock
from incidents.identity import Identity, capability_hash, capability_new, user_subject
from incidents.models import Feedback, Host, Incident, Report, Session
from notifications.feed import feed_adopt


@dataclass(frozen=True)
class OpenedSession:
    session: Session
    capability: str  # goes to the browser in `welcome`; we can't tell it again


def session_open(
    *,
    host: Host,
    capability: str | None = None,
    identity: Identity | None = None,
    locale: str = "",
    user_agent: str = "",
    sdk: str = "",
) -> OpenedSession:
    """Continues the visit that `capability` opens, or begins a new one.

    A visit of a verified user is continued only with that same user's identity: on a shared computer the
    next person must not see what the last one was told. A visitor's own visit is continued by its
    capability and becomes the user's when they log in.
    """
    found = _continued(host, capability, identity)
    if found is None:
        capability = capability_new()
        session = Session(host=host, capability_hash=capability_hash(capability))
        session.subject = session.own_subject
    else:
        session, capability = found
    session.locale, session.user_agent, session.sdk = locale, user_agent, sdk
    session.last_seen = clock.now()
    with transaction.atomic():
        if identity is not None:
            _vouch(session, host, identity)
        # The whole row: nobody else writes a visit but the browser that holds its capability.
        session.save()
    return OpenedSession(session, capability)


def session_identify(*, session: Session, identity: Identity) -> OpenedSession | None:
    """Notes a fresh identity: renewed for the same user, or a visitor who logged in.

    For another user a new visit begins (see above), and is returned with its capability.
    """
    if session.user and session.user != identity.user:
        return session_open(
            host=session.host,
            identity=identity,
            locale=session.locale,
            user_agent=session.user_agent,
            sdk=session.sdk,
        )
    with transaction.atomic():
        _vouch(session, session.host, identity)
        session.save(update_fields=["user", "subject", "claims", "verified_until"])
    return None


def _continued(host: Host, capability: str | None, identity: Identity | None) -> tuple[Session, str] | None:
    if not capability:
        return None
    session = Session.objects.filter(host=host, capability_hash=capability_hash(capability)).first()
    if session is None:
        return None
    if session.user and (identity is None or identity.user != session.user):
        return None
    return session, capability


def _vouch(session: Session, host: Host, identity: Identity) -> None:
    subject = user_subject(host, identity.user)
    if session.subject == session.own_subject:
        _adopt(session.own_subject, subject)
    session.user = identity.user
    session.subject = subject
    session.claims = identity.claims
    session.verified_until = identity.expires


def _adopt(visitor: str, user: str) -> None:
    """What a visitor reported is the user's once they log in, so that they hear how it goes on.

    It stays unverified: who sat there before logging in, nobody signed.
    """
    Report.objects.filter(subject=visitor).update(subject=user)
    Feedback.objects.filter(subject=visitor).update(subject=user)
    Incident.objects.filter(subject=visitor).update(subject=user)
    feed_adopt(old=visitor, new=user)
