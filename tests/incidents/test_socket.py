"""The socket as a browser meets it."""

import pytest
from asgiref.sync import sync_to_async
from channels_redis.pubsub import RedisPubSubChannelLayer

from incidents.limits import OPEN_SOCKETS
from incidents.models import Report
from incidents.services import incident_move, incident_tell
from tests.incidents.conftest import report_json
from tests.incidents.sockets import Browser

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_report_is_acknowledged_after_its_commit_and_its_user_told_at_once(host, identity_of):
    browser = await Browser().open()
    assert await browser.hello(host, identity=identity_of("alice")) == []
    assert browser.welcome["user"] == "alice"
    report = report_json()
    await browser.send({"type": "report", "report": report})
    ack = await browser.receive()
    told = await browser.receive()
    stored = await Report.objects.aget()
    assert ack == {
        "type": "ack",
        "client_event_id": report["client_event_id"],
        "incident": stored.incident_id,
    }
    assert (told["type"], told["stage"], told["version"]) == ("incident", "detected", 1)
    assert (stored.verified, stored.subject) == (True, f"host:{host.pk}:user:alice")
    assert await browser.nothing(), "the wake-up of what was shown already must not show it again"
    await browser.leave()


async def test_both_tabs_of_a_user_see_it_and_nobody_else_does(host, identity_of):
    tabs = [await Browser().open() for _ in range(2)]
    mallory = await Browser().open()
    for tab in tabs:
        await tab.hello(host, identity=identity_of("alice"))
    await mallory.hello(host, identity=identity_of("mallory"))
    await tabs[0].send({"type": "report", "report": report_json()})
    seen = [(await tab.receive("incident"))["stage"] for tab in tabs]
    assert seen == ["detected", "detected"]
    assert await mallory.nothing()
    for tab in [*tabs, mallory]:
        await tab.leave()


async def test_quick_stages_are_spared_and_the_end_comes_at_once(host, identity_of):
    browser = await Browser().open()
    await browser.hello(host, identity=identity_of("alice"))
    await browser.send({"type": "report", "report": report_json()})
    incident = (await browser.receive("incident"))["incident"]
    tell = sync_to_async(incident_tell)
    await tell(incident, "diagnosing")
    await tell(incident, "root_cause_found")
    await tell(incident, "fixing")
    shown = await browser.receive("incident")
    assert shown["stage"] == "fixing", "only the newest of a quick series is shown"
    await tell(incident, "verifying")
    await tell(incident, "resolved", ask_rating=True)
    assert (await browser.receive("incident"))["stage"] == "resolved"
    await browser.leave()


async def test_a_reconnect_finds_what_happened_meanwhile(host, identity_of):
    browser = await Browser().open()
    await browser.hello(host, identity=identity_of("alice"))
    await browser.send({"type": "report", "report": report_json()})
    incident = (await browser.receive("incident"))["incident"]
    await browser.leave()
    await sync_to_async(incident_move)(incident, "resolved", reason="the runbook held")
    await sync_to_async(incident_tell)(incident, "resolved", ask_rating=True)
    again = await Browser().open()
    (state,) = await again.hello(host, identity=identity_of("alice"), session=browser.welcome["session"])
    assert (state["stage"], state["ask_rating"], state["version"]) == ("resolved", True, 2)
    assert again.welcome["session"] == browser.welcome["session"]
    await again.leave()


async def test_a_visitor_who_logs_in_keeps_what_they_were_told(host, identity_of):
    browser = await Browser().open()
    await browser.hello(host)
    assert browser.welcome["user"] is None
    await browser.send({"type": "report", "report": report_json()})
    first = await browser.receive("incident")
    await browser.send({"type": "identify", "identity": identity_of("alice")})
    (state,) = (await browser.receive("snapshot"))["incidents"]
    assert state["incident"] == first["incident"]
    assert state["version"] > first["version"], "an older version would be ignored by the page"
    await sync_to_async(incident_tell)(state["incident"], "resolved")
    assert (await browser.receive("incident"))["stage"] == "resolved"
    report = await Report.objects.aget()
    assert (report.subject, report.verified) == (f"host:{host.pk}:user:alice", False)
    await browser.leave()


async def test_the_next_person_at_a_shared_computer_sees_nothing_of_the_last(host, identity_of):
    alice = await Browser().open()
    await alice.hello(host, identity=identity_of("alice"))
    await alice.send({"type": "report", "report": report_json()})
    await alice.receive("incident")
    await alice.leave()
    for identity in (None, identity_of("mallory")):
        nxt = await Browser().open()
        assert await nxt.hello(host, identity=identity, session=alice.welcome["session"]) == []
        assert nxt.welcome["session"] != alice.welcome["session"]
        await nxt.leave()


async def test_the_release_cookie_reaches_its_user_and_stays_until_it_is_taken_away(host, identity_of):
    browser = await Browser().open()
    await browser.hello(host, identity=identity_of("alice"))
    await browser.send({"type": "report", "report": report_json()})
    first = await browser.receive("incident")
    assert "release" not in first
    cookie = {"cookie": "kriptik_release", "token": "t" * 43}
    tell = sync_to_async(incident_tell)
    await tell(first["incident"], "resolved", release=cookie)
    assert (await browser.receive("incident"))["release"] == cookie
    await tell(first["incident"], "resolved", ask_rating=True)
    assert (await browser.receive("incident"))["release"] == cookie
    await tell(first["incident"], "rolled_back", release=None)
    gone = await browser.receive("incident")
    assert gone["release"] is None
    await browser.leave()


async def test_ping_is_answered(host):
    browser = await Browser().open()
    await browser.hello(host)
    await browser.send({"type": "ping"})
    assert await browser.receive() == {"type": "pong"}
    await browser.leave()


async def test_a_host_in_shadow_takes_reports_and_shows_nothing(host, identity_of):
    host.shadow = True
    await host.asave()
    browser = await Browser().open()
    await browser.hello(host, identity=identity_of("alice"))
    assert browser.welcome["config"]["shadow"] is True
    await browser.send({"type": "report", "report": report_json()})
    assert (await browser.receive())["type"] == "ack"
    assert await browser.nothing()
    await browser.leave()


async def test_a_socket_that_the_broker_failed_counts_no_longer_as_open(host, monkeypatch):
    async def broken(*_):
        raise ConnectionError("the broker is gone")

    monkeypatch.setattr(RedisPubSubChannelLayer, "receive", broken, raising=False)
    browser = await Browser().open()
    with pytest.raises(ConnectionError):
        await browser.closed()
    assert OPEN_SOCKETS.total() == 0
