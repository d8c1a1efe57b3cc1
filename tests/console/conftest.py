"""The console's cast: Mia the owner, Sam of the staff without a second factor, Bob a plain user."""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import sync_playwright

from console.access import key_hash
from console.management.commands.owner_create import owner_create
from console.models import OwnerSession
from incidents.models import Host, Incident, Report, Session

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def own_var(settings, tmp_path):
    """The audit's anchors of one test must not be another's."""
    settings.VAR_DIR = tmp_path


@pytest.fixture
def mia(db):
    return owner_create("mia@forge.example", PASSWORD)


def token_of(email: str, steps: int = 0) -> str:
    """The code that the authenticator shows now (`steps` half-minutes from now)."""
    device = TOTPDevice.objects.get(user__username=email)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


@pytest.fixture
def owner(mia):
    """Mia's browser after a login with her code just now."""
    client = Client()
    user = User.objects.get(username=mia.email)
    client.force_login(user)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = TOTPDevice.objects.get(user=user).persistent_id
    session.save()
    OwnerSession.objects.create(user=user, key_hash=key_hash(session.session_key))
    return client


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(User.objects.create_user("sam@forge.example", password=PASSWORD, is_staff=True))
    return client


@pytest.fixture
def plain_user(db):
    client = Client()
    client.force_login(User.objects.create_user("bob@forge.example", password=PASSWORD))
    return client


@pytest.fixture
def host(db):
    return Host.objects.create(name="Forge", slug="forge", base_url="http://127.0.0.1:1")


@pytest.fixture
def incident(host):
    return incident_make(host)


def incident_make(host, number=0, **changes):
    values = {
        "kind": "SILENT_FAILURE",
        "severity": "P1",
        "title": f"Generate does nothing {number}",
        "route": "/studio",
        "subject": f"host:{host.pk}:user:alice",
        "report_count": 1,
        "user_count": 1,
    }
    return Incident.objects.create(host=host, fingerprint=f"f{number}", **{**values, **changes})


def report_make(incident, **payload):
    visit = Session.objects.create(
        host=incident.host, capability_hash=f"c{Session.objects.count()}", subject=incident.subject
    )
    body = {"message": "Nothing happened", "route": "/studio", "requests": [], "actions": [], **payload}
    return Report.objects.create(
        host=incident.host,
        session=visit,
        incident=incident,
        client_event_id=f"e{Report.objects.count()}",
        kind=incident.kind,
        subject=incident.subject,
        payload=body,
        at=incident.first_seen,
    )


@dataclass
class Watched:
    """A page and whatever it did that it should not."""

    page: object
    dialogs: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    foreign: list = field(default_factory=list)


@contextmanager
def chromium(base, width=1280, height=900, **context):
    """A real browser. Ask the database before or after it, not inside: Playwright runs an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            page = browser.new_context(
                viewport={"width": width, "height": height}, base_url=base, **context
            ).new_page()
            watched = Watched(page)
            page.on("dialog", lambda d: (watched.dialogs.append(d.message), d.dismiss()))
            page.on("pageerror", lambda e: watched.errors.append(str(e)))
            page.on("request", lambda r: watched.foreign.append(r.url) if foreign(r.url, base) else None)
            yield watched
        finally:
            browser.close()


def foreign(url, base):
    return url.startswith("http") and not url.startswith(base)
