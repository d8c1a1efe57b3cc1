"""One test per refusal of the intake: what a stranger, a forger or a broken client gets."""

import asyncio
import base64
import gzip
import hashlib
import json
import time
import uuid
import zlib

import jwt
import pytest
from asgiref.sync import sync_to_async

from incidents import consumers, limits
from incidents.models import Feedback, Host, Incident, IntakeCount, Outcome, Recording, Report
from tests.incidents.conftest import report_json
from tests.incidents.sockets import Browser, hello_frame

pytestmark = pytest.mark.django_db(transaction=True)


async def opened(host, **values):
    browser = await Browser().open()
    await browser.hello(host, **values)
    return browser


async def refused(browser, code, close=None):
    error = await browser.receive("error")
    assert error["code"] == code, error
    assert error["message"]
    if close:
        assert await browser.closed() == close
    else:
        await browser.leave()
    return error


# --- The door -----------------------------------------------------------------------------------------------


async def test_an_unknown_key_is_refused(host):
    browser = await Browser().open()
    await browser.send(hello_frame(host, key="pk_unknown"))
    await refused(browser, "bad_key", 4401)


async def test_a_killed_host_takes_nothing(host):
    await Host.objects.filter(pk=host.pk).aupdate(killed=True)
    browser = await Browser().open()
    await browser.send(hello_frame(host))
    await refused(browser, "bad_key", 4401)


async def test_an_origin_that_the_host_does_not_list_is_refused(host):
    others = [
        None,
        "null",
        "https://evil.example",
        "http://forge.example",
        "https://forge.example:8443",
        "https://forge.example.evil.example",
        "https://evil.example/https://forge.example",
    ]
    for origin in others:
        browser = await Browser(origin).open()
        await browser.send(hello_frame(host))
        await refused(browser, "bad_origin", 4403)


async def test_a_socket_that_says_no_hello_is_closed(host, monkeypatch):
    monkeypatch.setattr(consumers, "HELLO_S", 0.05)
    browser = await Browser().open()
    assert await browser.closed() == 4408


async def test_a_frame_before_the_hello_is_refused(host):
    browser = await Browser().open()
    await browser.send({"type": "report", "report": report_json()})
    await refused(browser, "invalid_frame", 4400)
    assert not await Report.objects.aexists()


async def test_a_second_hello_is_refused(host):
    browser = await opened(host)
    await browser.send(hello_frame(host))
    await refused(browser, "invalid_frame")


async def test_another_protocol_version_is_refused(host):
    browser = await Browser().open()
    await browser.send(hello_frame(host, v=2))
    await refused(browser, "invalid_frame", 4400)


async def test_a_capability_of_another_host_opens_nothing(host):
    other = await Host.objects.acreate(name="Other", slug="other", base_url="http://o", origins=host.origins)
    there = await opened(other)
    here = await opened(host, session=there.welcome["session"])
    assert here.welcome["session"] != there.welcome["session"]
    await there.leave()
    await here.leave()


# --- Identities ---------------------------------------------------------------------------------------------


def token(host, **changes):
    now = int(time.time())
    claims = {"sub": "alice", "aud": host.slug, "iat": now, "exp": now + 600, "jti": uuid.uuid4().hex}
    claims |= changes
    return {name: value for name, value in claims.items() if value is not None}


def signed(host, **changes):
    return jwt.encode(token(host, **changes), host.secret, algorithm="HS256")


def tampered(host):
    head, _, signature = signed(host).split(".")
    body = base64.urlsafe_b64encode(json.dumps(token(host, sub="bob")).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


FORGERIES = {
    "expired": lambda host: signed(host, iat=int(time.time()) - 900, exp=int(time.time()) - 120),
    "alg none": lambda host: jwt.encode(token(host), None, algorithm="none"),
    "another algorithm": lambda host: jwt.encode(token(host), host.secret * 2, algorithm="HS512"),
    "another key": lambda host: jwt.encode(token(host), "k" * 43, algorithm="HS256"),
    "the public key as the secret": lambda host: jwt.encode(token(host), host.public_key, algorithm="HS256"),
    "another audience": lambda host: signed(host, aud="other"),
    "the remember cookie's audience": lambda host: signed(host, aud=f"{host.slug}#remember"),
    "another user's name put in": tampered,
    "no expiry": lambda host: signed(host, exp=None),
    "no issue date": lambda host: signed(host, iat=None),
    "no id": lambda host: signed(host, jti=None),
    "no user": lambda host: signed(host, sub=None),
    "an empty user": lambda host: signed(host, sub=""),
    "a user with a newline": lambda host: signed(host, sub="alice\nbob"),
    "a day long": lambda host: signed(host, exp=int(time.time()) + 86_400),
    "an endless expiry": lambda host: signed(host, exp=10**18),
    "issued tomorrow": lambda host: signed(
        host, iat=int(time.time()) + 86_400, exp=int(time.time()) + 86_700
    ),
    "not a token": lambda host: "not.a.token",
    "other characters": lambda host: "\u00fc.\u00fc.\u00fc",
}


async def test_a_forged_identity_is_refused_and_its_sender_stays_a_visitor(host):
    for name, forge in FORGERIES.items():
        browser = await opened(host, identity=forge(host))
        assert [frame["code"] for frame in browser.passed] == ["bad_identity"], name
        assert browser.welcome["user"] is None, name
        await browser.send({"type": "report", "report": report_json()})
        await browser.receive("ack")
        await browser.leave()
    subjects = [r.subject async for r in Report.objects.filter(verified=False)]
    assert len(subjects) == len(set(subjects)) == len(FORGERIES)
    assert all(":session:" in subject for subject in subjects)


async def test_a_forged_identity_later_changes_nothing(host, identity_of):
    browser = await opened(host, identity=identity_of("alice"))
    await browser.send({"type": "identify", "identity": FORGERIES["another key"](host)})
    await refused(browser, "bad_identity")


async def test_a_report_after_the_identity_ran_out_is_not_verified(host, identity_of, session_of):
    from datetime import timedelta

    from core import clock
    from incidents.services import report_store
    from incidents.wire import Report as WireReport

    def late():
        session = session_of("alice")
        session.verified_until = clock.now() - timedelta(seconds=1)
        return report_store(session=session, report=WireReport.model_validate(report_json()))

    assert (await sync_to_async(late)()).verified is False


# --- Frames -------------------------------------------------------------------------------------------------


BAD_JSON = {
    "no JSON": "{",
    "deep nesting": "[" * 100_000,
    "deep but closed": "[" * 60 + "]" * 60,
    "half a surrogate pair": r'{"type":"ping","x":"\ud800"}',
    "half a surrogate pair as a key": r'{"type":"ping","\udfff":1}',
    "NUL": r'{"type":"ping","x":"a\u0000b"}',
    "NaN": '{"type":"ping","x":NaN}',
    "Infinity": '{"type":"ping","x":-Infinity}',
    "a float beyond all bounds": '{"type":"ping","x":1e999}',
    "the same key twice": '{"type":"ping","type":"report"}',
    "an integer of 200,000 digits": '{"type":"ping","x":' + "9" * 200_000 + "}",
    "an integer beyond 64 bits": '{"type":"ping","x":9223372036854775808}',
}


async def test_json_that_can_not_be_stored_is_refused(host):
    browser = await opened(host)
    for name, text in BAD_JSON.items():
        await browser.send_text(text)
        assert (await browser.receive()).get("code") == "bad_json", name
        await browser.send({"type": "ping"})
        assert (await browser.receive())["type"] == "pong", "one bad frame does not end a known visit"
    await browser.leave()


async def test_bad_json_from_a_stranger_closes_the_socket(host):
    browser = await Browser().open()
    await browser.send_text("[" * 100_000)
    await refused(browser, "bad_json", 4400)


async def test_binary_frames_are_refused(host):
    browser = await Browser().open()
    await browser.socket.send_to(bytes_data=b"\x00\x01")
    await refused(browser, "invalid_frame", 4400)


async def test_a_frame_over_512_kib_is_refused(host):
    browser = await opened(host)
    await browser.send_text('{"type":"ping","x":"' + "a" * 512 * 1024 + '"}')
    await refused(browser, "too_large", 4413)


async def test_endless_bad_frames_close_the_socket(host):
    browser = await opened(host)
    for _ in range(limits.BAD_FRAMES):
        await browser.send({"type": "nonsense"})
    assert await browser.closed() == 4400


def chunk(**values):
    blob = gzip.compress(b"[]")
    frame = {
        "type": "chunk",
        "client_event_id": str(uuid.uuid4()),
        "seq": 0,
        "last": True,
        "encoding": "gzip+base64",
        "sha256": hashlib.sha256(blob).hexdigest(),
        "data": base64.b64encode(blob).decode(),
    }
    return frame | values


UUID = "7e3f6f0e-5a0a-4d5b-9a53-111111111111"
INVALID = {
    "no object": [],
    "a report without content": {"type": "report"},
    "a report of an unknown kind": {"type": "report", "report": report_json(kind="BORING")},
    "a report at the end of time": {"type": "report", "report": report_json(at=10**15)},
    "a report before time": {"type": "report", "report": report_json(at=-1)},
    "a report with a wrong trace": {"type": "report", "report": report_json(trace_id="xyz")},
    "a report with words as reasons": {"type": "report", "report": report_json(reasons=["ignore all rules"])},
    "a report with endless reasons": {"type": "report", "report": report_json(reasons=["x"] * 1000)},
    "a report with a list as state": {"type": "report", "report": report_json(state=[1])},
    "a report with an id that is none": {
        "type": "report",
        "report": report_json(client_event_id="../x/../y"),
    },
    "a request with a status in words": {
        "type": "report",
        "report": report_json(requests=[{"method": "GET", "path": "/", "status": "bad"}]),
    },
    "an action of an unknown kind": {
        "type": "report",
        "report": report_json(actions=[{"id": "a", "kind": "hack", "at": 1, "url": "/"}]),
    },
    "a locator of an unknown kind": {
        "type": "report",
        "report": report_json(
            element={"tag": "a", "fingerprint": "a", "locators": [{"by": "xpath", "value": "//"}]}
        ),
    },
    "a chunk before any other": chunk(seq=-1),
    "a chunk in another encoding": chunk(encoding="br"),
    "a chunk with a hash that is none": chunk(sha256="0"),
    "an outcome without an element": {"type": "outcome", "outcome": {"route": "/", "at": 1}},
    "an answer that says nothing": {
        "type": "answer",
        "incident": "inc_x",
        "question": "q1",
        "client_event_id": UUID,
    },
    "six stars": {"type": "rating", "incident": "inc_x", "stars": 6, "client_event_id": UUID},
    "half a star": {"type": "rating", "incident": "inc_x", "stars": 0.5, "client_event_id": UUID},
    "try again of nothing": {"type": "try_again", "client_event_id": UUID},
    "identify without an identity": {"type": "identify", "identity": None},
}


async def test_a_frame_of_the_wrong_form_is_refused(host, monkeypatch):
    monkeypatch.setattr(consumers, "BAD_FRAMES", len(INVALID) + 1)
    browser = await opened(host)
    for name, frame in INVALID.items():
        await browser.send(frame)
        assert (await browser.receive()).get("code") == "invalid_frame", name
    await browser.leave()
    assert not await Report.objects.aexists()
    assert not await Outcome.objects.aexists()


async def test_an_unknown_type_is_refused_and_counted(host):
    browser = await opened(host)
    await browser.send({"type": "become_admin"})
    await refused(browser, "unknown_type")
    assert (await IntakeCount.objects.aget()).name == "refused.unknown_type"


async def test_unknown_fields_are_dropped_and_counted_not_stored(host):
    browser = await opened(host)
    await browser.send({"type": "report", "report": report_json(role="admin", priority="P0")})
    await browser.receive("ack")
    await browser.leave()
    assert "admin" not in json.dumps((await Report.objects.aget()).payload)
    counted = await IntakeCount.objects.aget(name="dropped_fields")
    assert counted.count == 2


async def test_what_is_too_long_is_cut_so_that_the_report_is_kept(host):
    browser = await opened(host)
    long = report_json(message="x" * 5000, state={"x": "y" * 9000})
    await browser.send({"type": "report", "report": long})
    await browser.receive("ack")
    await browser.leave()
    payload = (await Report.objects.aget()).payload
    assert (len(payload["message"]), payload["state"]) == (500, None)


async def test_a_forged_shape_can_not_smuggle_what_was_typed(host):
    action = {"id": "a1", "kind": "fill", "at": 1, "url": "/login", "shape": "Hunter2!"}
    browser = await opened(host)
    await browser.send({"type": "report", "report": report_json(actions=[action])})
    await browser.receive("ack")
    await browser.leave()
    assert (await Report.objects.aget()).payload["actions"][0]["shape"] == "Aaaaaa9!"


# --- Recordings ---------------------------------------------------------------------------------------------


async def reported(host, **hello):
    browser = await opened(host, **hello)
    report = report_json()
    await browser.send({"type": "report", "report": report})
    incident = (await browser.receive("incident"))["incident"]
    return browser, report["client_event_id"], incident


async def test_a_recording_is_stored_as_it_came_even_if_it_is_a_bomb(host, monkeypatch):
    browser, event_id, _ = await reported(host)
    bomb = gzip.compress(b"[" + b"0," * 50_000_000 + b"0]")
    assert len(bomb) < 200_000
    sha = hashlib.sha256(bomb).hexdigest()
    frame = chunk(client_event_id=event_id, sha256=sha, data=base64.b64encode(bomb).decode())
    for opener in ((gzip, "decompress"), (zlib, "decompress"), (zlib, "decompressobj")):
        monkeypatch.setattr(
            *opener, lambda *_, **__: pytest.fail("it must not be opened where a browser waits")
        )
    await browser.send(frame)
    assert await browser.receive() == {"type": "chunk_ack", "client_event_id": event_id, "seq": 0}
    await browser.send(frame)
    assert (await browser.receive())["type"] == "chunk_ack", "the same chunk again is stored already"
    await browser.leave()
    assert bytes((await Recording.objects.aget()).blob) == bomb


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sha256": "0" * 64}, "sha256"),
        ({"data": "!!!"}, "base64"),
        (
            {"data": base64.b64encode(b"plain").decode(), "sha256": hashlib.sha256(b"plain").hexdigest()},
            "gzip",
        ),
    ],
)
async def test_a_chunk_that_is_not_what_it_says_is_refused(host, values, says):
    browser, event_id, _ = await reported(host)
    await browser.send(chunk(client_event_id=event_id, **values))
    error = await refused(browser, "invalid_frame")
    assert says in error["message"]
    assert error["client_event_id"] == f"{event_id}:0", "with the report's id the SDK would drop the report"
    assert not await Recording.objects.aexists()


async def test_a_recording_for_another_visits_report_is_refused(host):
    browser, event_id, _ = await reported(host)
    mallory = await opened(host)
    await mallory.send(chunk(client_event_id=event_id))
    await refused(mallory, "not_found")
    await browser.leave()


async def test_a_recording_that_grows_for_ever_is_refused(host, monkeypatch):
    monkeypatch.setattr("incidents.services.evidence.RECORDING_BYTES", 30)
    browser, event_id, _ = await reported(host)
    await browser.send(chunk(client_event_id=event_id))
    assert (await browser.receive())["type"] == "chunk_ack"
    await browser.send(chunk(client_event_id=event_id, seq=1))
    await refused(browser, "too_large")


# --- Other people's incidents -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "answer", "question": "q1", "choice": "yes", "client_event_id": UUID},
        {"type": "rating", "stars": 1, "client_event_id": UUID},
        {"type": "try_again", "client_event_id": UUID},
    ],
    ids=lambda frame: frame["type"],
)
@pytest.mark.parametrize("whose", ["alice's", "nobody's"])
async def test_another_users_incident_is_not_found_and_so_is_none(host, identity_of, frame, whose):
    alice, _, incident = await reported(host, identity=identity_of("alice"))
    mallory = await opened(host, identity=identity_of("mallory"))
    await mallory.send(frame | {"incident": incident if whose == "alice's" else "inc_" + "0" * 20})
    error = await refused(mallory, "not_found")
    assert error["message"] == "There is no such incident.", "the same words, or one could probe"
    assert error["client_event_id"] == UUID
    assert not await Feedback.objects.aexists()
    await alice.leave()


async def test_an_answer_to_a_question_that_nobody_asked_is_refused(host):
    browser, _, incident = await reported(host)
    await browser.send(
        {"type": "answer", "incident": incident, "question": "q1", "choice": "yes", "client_event_id": UUID}
    )
    await refused(browser, "not_found")
    assert not await Feedback.objects.aexists()


async def test_a_duplicate_report_is_acknowledged_again_and_counted_once(host):
    browser = await opened(host)
    frame = {"type": "report", "report": report_json()}
    for _ in range(2):
        await browser.send(frame)
    first = await browser.receive("ack")
    second = await browser.receive("ack")
    assert first == second
    assert (await Incident.objects.aget()).report_count == 1
    await browser.leave()


async def test_the_same_report_on_two_sockets_at_once_is_counted_once(host):
    one = await opened(host)
    two = await opened(host, session=one.welcome["session"])
    frame = {"type": "report", "report": report_json()}
    await asyncio.gather(one.send(frame), two.send(frame))
    assert await one.receive("ack") == await two.receive("ack")
    assert (await Incident.objects.aget()).report_count == 1
    await one.leave()
    await two.leave()


# --- Too much -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quota", ["quota", "quota_address", "quota_session"])
async def test_more_reports_than_the_quota_are_refused_with_a_time_to_wait(host, quota):
    await Host.objects.filter(pk=host.pk).aupdate(**{quota: 2})
    browser = await opened(host)
    for _ in range(2):
        await browser.send({"type": "report", "report": report_json()})
        await browser.receive("ack")
    report = report_json()
    await browser.send({"type": "report", "report": report})
    error = await refused(browser, "rate_limited")
    assert 0 < error["retry_after"] <= 300
    assert error["client_event_id"] == report["client_event_id"]
    assert await Report.objects.acount() == 2


async def test_a_socket_that_sends_too_fast_is_told_to_wait_then_closed(host, monkeypatch):
    monkeypatch.setattr(limits, "SOCKET_MESSAGES_PER_S", 1)
    monkeypatch.setattr(consumers, "FAST_FRAMES", 3)
    browser = await opened(host)
    for _ in range(9):
        await browser.send({"type": "ping"})
    answers = [await browser.receive() for _ in range(7)]
    assert [a["type"] for a in answers] == ["pong"] * 5 + ["error"] * 2
    assert answers[-1]["code"] == "rate_limited"
    assert await browser.closed() == 4429


async def test_too_many_sockets_of_one_address_are_closed(host, monkeypatch):
    monkeypatch.setattr(consumers, "SOCKETS_PER_ADDRESS", 1)
    first = await opened(host)
    second = await Browser().open()
    assert await second.closed() == 4429
    await first.leave()
    third = await opened(host)
    await third.leave()


async def test_too_many_tabs_of_one_visit_are_closed(host, monkeypatch):
    monkeypatch.setattr(consumers, "SOCKETS_PER_SESSION", 1)
    first = await opened(host)
    second = await Browser().open()
    await second.send(hello_frame(host, session=first.welcome["session"]))
    await refused(second, "rate_limited", 4429)
    await first.leave()
