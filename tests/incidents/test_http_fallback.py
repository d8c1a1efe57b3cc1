"""The HTTP fallback and the beacon: the same door, the same refusals, with statuses."""

import json

import pytest
from django.test import Client

from incidents.models import Host, Report
from tests.incidents.conftest import ORIGIN, report_json
from tests.incidents.sockets import hello_frame

URL = "/sdk/v1/reports"
client = Client(enforce_csrf_checks=True)


def post(body, origin=ORIGIN, content_type="application/json", **extra):
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"origin": origin} if origin else {}
    return client.post(URL, text, content_type=content_type, headers=headers, **extra)


def frames(host, *sent, **hello):
    return {"hello": hello_frame(host, **hello), "frames": list(sent)}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8"])
def test_a_report_by_http_is_stored_and_answered_with_what_the_user_sees(host, identity_of, content_type):
    report = report_json()
    body = frames(host, {"type": "report", "report": report}, identity=identity_of("alice"))
    response = post(body, content_type=content_type)
    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in response
    answer = response.json()
    assert (answer["welcome"]["type"], answer["welcome"]["user"]) == ("welcome", "alice")
    ack, told, snapshot = answer["replies"]
    assert ack["client_event_id"] == report["client_event_id"]
    assert told["stage"] == "detected"
    assert [state["incident"] for state in snapshot["incidents"]] == [Report.objects.get().incident_id]


def test_the_visit_goes_on_from_request_to_request(host):
    report = {"type": "report", "report": report_json()}
    first = post(frames(host, report)).json()["welcome"]["session"]
    again = post(frames(host, report, session=first)).json()
    assert again["welcome"]["session"] == first
    assert Report.objects.count() == 1


def test_a_refused_frame_does_not_spoil_the_others(host):
    answer = post(frames(host, {"type": "nonsense"}, {"type": "report", "report": report_json()})).json()
    assert [reply["type"] for reply in answer["replies"]] == ["error", "ack", "incident", "snapshot"]


def test_an_identity_in_a_frame_moves_the_visit_to_its_user(host, identity_of):
    answer = post(frames(host, {"type": "identify", "identity": identity_of("alice")})).json()
    assert answer["welcome"]["user"] == "alice"


REFUSED = {
    "another origin": ({"origin": "https://evil.example"}, 403, "bad_origin"),
    "no origin": ({"origin": None}, 403, "bad_origin"),
    "no JSON": ({"body": "{"}, 400, "bad_json"),
    "deep nesting": ({"body": "[" * 100_000}, 400, "bad_json"),
    "other bytes": ({"body": b"\xff\xfe"}, 400, "bad_json"),
    "a list": ({"body": []}, 400, "invalid_frame"),
    "no hello": ({"body": {"frames": []}}, 400, "unknown_type_or_invalid"),
    "no frames": ({"body": {"hello": {}}}, 400, "invalid_frame"),
    "too large": ({"body": " " * (1024 * 1024 + 1)}, 413, "too_large"),
}


@pytest.mark.parametrize(("how", "status", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_by_http(host, how, status, code):
    body = how.get("body", frames(host))
    response = post(body, origin=how.get("origin", ORIGIN))
    assert response.status_code == status
    expected = {"unknown_type", "invalid_frame"} if code == "unknown_type_or_invalid" else {code}
    assert response.json()["code"] in expected
    # A page that no host lists may not even read why.
    assert ("Access-Control-Allow-Origin" in response) == (code != "bad_origin")
    assert not Report.objects.exists()


def test_a_wrong_key_and_a_killed_host_are_refused(host):
    body = frames(host, {"type": "report", "report": report_json()})
    wrong = {**body, "hello": {**body["hello"], "key": "pk_x"}}
    assert (post(wrong).status_code, post(wrong).json()["code"]) == (401, "bad_key")
    Host.objects.update(killed=True)
    assert post(body).status_code == 401
    assert not Report.objects.exists()


def test_too_many_frames_in_one_request_are_refused(host):
    assert post(frames(host, *[{"type": "ping"}] * 51)).status_code == 413


def test_when_every_frame_came_too_fast_the_status_says_so(host):
    Host.objects.update(quota_session=1)
    report = {"type": "report", "report": report_json()}
    first = post(frames(host, report)).json()["welcome"]["session"]
    second = {"type": "report", "report": report_json()}
    response = post(frames(host, second, session=first))
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 301


def test_a_preflight_is_allowed_to_listed_origins_only(host):
    def ask(origin):
        return client.options(URL, headers={"origin": origin, "access-control-request-method": "POST"})

    allowed = ask(ORIGIN)
    assert (allowed.status_code, allowed["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert allowed["Access-Control-Allow-Headers"] == "content-type"
    assert allowed["Vary"] == "Origin"
    refused = ask("https://evil.example")
    assert refused.status_code == 403
    assert "Access-Control-Allow-Origin" not in refused


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_refused(method):
    assert getattr(client, method)(URL).status_code == 405
