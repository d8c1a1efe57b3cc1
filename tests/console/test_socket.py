"""The console's socket: only the verified owner hears anything, and only that something changed."""

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.access import key_hash
from console.models import OwnerSession
from console.receivers import wake
from core import clock
from healing.models import HealRun
from healing.services import run_reject
from incidents.services import incident_dismiss
from kriptik_ops.asgi import application
from tests.console.conftest import incident_make

pytestmark = pytest.mark.django_db(transaction=True)


def connect_as(client, origin=b"http://testserver"):
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"host", b"testserver"), (b"cookie", cookies.encode())]
    if origin is not None:
        headers.append((b"origin", origin))
    return WebsocketCommunicator(application, "/console/socket", headers=headers)


async def closed_with(socket):
    connected, code = await socket.connect()
    if not connected:
        return code
    message = await socket.receive_output(timeout=5)
    return message.get("code") if message["type"] == "websocket.close" else message


@pytest.mark.parametrize("person", ["client", "plain_user", "staff"])
async def test_everybody_else_is_closed_with_4403(request, person):
    client = await sync_to_async(request.getfixturevalue)(person)
    assert await closed_with(connect_as(client)) == 4403


async def test_the_owner_hears_that_something_changed_and_nothing_more(owner):
    socket = connect_as(owner)
    assert (await socket.connect())[0]
    await socket.send_json_to({"type": "anything"})
    await sync_to_async(wake)("inc_1")
    assert await socket.receive_json_from(timeout=5) == {"type": "wake", "topic": "inc_1"}
    assert await socket.receive_nothing(timeout=0.2)
    await socket.disconnect()


def moves(host):
    """One move of each machine; every one of them changes what the home page says."""
    incident = incident_make(host, 1)
    assert incident_dismiss(incident.pk, actor="mia", reason="test")
    run = HealRun.objects.create(host=host, phase="awaiting_owner")
    assert run_reject(run.pk, "mia", "no")
    return {incident.pk, run.pk}


async def test_every_move_wakes_the_page(owner, host):
    socket = connect_as(owner)
    assert (await socket.connect())[0]
    expected = await sync_to_async(moves)(host)
    heard = {(await socket.receive_json_from(timeout=5))["topic"] for _ in range(2)}
    assert heard == expected
    await socket.disconnect()


@pytest.mark.parametrize("origin", [b"http://evil.example", b"null", None])
async def test_another_site_cannot_ride_on_the_owners_cookie(owner, settings, origin):
    settings.ALLOWED_HOSTS = ["testserver"]
    from channels.auth import AuthMiddlewareStack
    from channels.security.websocket import AllowedHostsOriginValidator

    from console.consumers import ConsoleConsumer

    # The validator reads ALLOWED_HOSTS when it is built; the test settings allow every host.
    guarded = AllowedHostsOriginValidator(AuthMiddlewareStack(ConsoleConsumer.as_asgi()))
    socket = connect_as(owner, origin)
    socket = WebsocketCommunicator(guarded, "/console/socket", headers=socket.scope["headers"])
    connected, _ = await socket.connect()
    assert not connected


async def test_a_session_that_ended_stops_hearing(owner):
    socket = connect_as(owner)
    assert (await socket.connect())[0]
    await sync_to_async(OwnerSession.objects.update)(ended_at=clock.now())
    await sync_to_async(wake)("inc_1")
    assert (await socket.receive_output(timeout=5))["code"] == 4403


async def test_an_expired_session_is_refused(owner):
    await sync_to_async(OwnerSession.objects.update)(seen_at=clock.now().replace(year=2020))
    assert await closed_with(connect_as(owner)) == 4403


def other_owners_device():
    """A session of Sam's that names Mia's device."""
    sam = User.objects.create_user("sam2@forge.example", password="x", is_staff=True)
    client = Client()
    client.force_login(sam)
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.get(user__username="mia@forge.example").persistent_id
    session.save()
    OwnerSession.objects.create(user=sam, key_hash=key_hash(session.session_key))
    return client


async def test_somebody_elses_device_is_refused(owner):
    client = await sync_to_async(other_owners_device)()
    assert await closed_with(connect_as(client)) == 4403


async def test_a_bad_frame_harms_nobody(owner):
    socket = connect_as(owner)
    assert (await socket.connect())[0]
    await socket.send_json_to(["not", "an", "object"])
    await sync_to_async(wake)("again")
    assert (await socket.receive_json_from(timeout=5))["topic"] == "again"
    await socket.disconnect()
