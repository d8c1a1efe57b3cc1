"""The cast: Alice is affected, Bob is too, Mallory must see nothing, and Forge is the host."""

import time
import uuid

import pytest

from hostkit.identity import identity_token
from incidents import limits
from incidents.models import Host
from incidents.services import session_open
from incidents.wire import Report

ORIGIN = "https://forge.example"


@pytest.fixture(autouse=True)
def fresh_limits():
    """The counters of another test (or another run on the same Redis) are not this one's."""
    client, _ = limits._redis()
    for key in client.scan_iter("kriptik:limit:*"):
        client.delete(key)


@pytest.fixture
def host(db):
    return Host.objects.create(name="Forge", slug="forge", base_url="http://127.0.0.1:5000", origins=[ORIGIN])


@pytest.fixture
def identity_of(host):
    def make(user, **claims):
        return identity_token(host.secret, host.slug, user, **claims)

    return make


@pytest.fixture
def session_of(host, identity_of):
    """A visit: of a signed-in user by name, or of an anonymous visitor."""
    from incidents.identity import identity_verify

    def make(user=None):
        identity = identity_verify(host, identity_of(user)) if user else None
        return session_open(host=host, identity=identity).session

    return make


def report_json(**values):
    """A silent failure of Forge's Generate button, as the SDK sends it."""
    at = int(time.time() * 1000)
    element = {
        "tag": "button",
        "role": "button",
        "name": "Generate",
        "fingerprint": "button[generate]",
        "locators": [{"by": "testid", "value": "generate"}],
    }
    report = {
        "client_event_id": str(uuid.uuid4()),
        "kind": "SILENT_FAILURE",
        "at": at,
        "action_id": "a3",
        "trace_id": uuid.uuid4().hex,
        "message": "Nothing happened after pressing Generate",
        "page": f"{ORIGIN}/studio",
        "route": "/studio",
        "element": element,
        "reasons": ["no_visible_response", "request_failed"],
        "error": None,
        "requests": [
            {"action_id": "a3", "method": "POST", "path": "/api/generate", "status": 502, "ms": 80, "at": at}
        ],
        "console": [],
        "actions": [
            {"id": "a3", "kind": "click", "at": at, "url": "/studio", "element": element, "after": {}}
        ],
        "state": None,
        "expectation": None,
        "text": None,
        "viewport": {"w": 1280, "h": 720},
        "locale": "en",
        "user_agent": "test",
    }
    return report | values


@pytest.fixture
def make_report():
    return lambda **values: Report.model_validate(report_json(**values))
