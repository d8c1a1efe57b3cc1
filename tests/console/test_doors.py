"""Every address of the console, and who gets in: nobody without the second factor."""

import re

import pytest
from django.urls import URLPattern, get_resolver

from console.acts import act_names
from notifications.models import OwnerAlert

pytestmark = pytest.mark.django_db
OPEN = {"admin:login"}  # the door itself
FILLED = {
    "object_id": "1",
    "app_label": "incidents",
    "content_type_id": "1",
    "incident_id": "inc_1",
    "report_id": "rep_1",
    "name": "kill_all",
    "subject": "all",
    "seq": "0",
    "url": "nothing/here",
}


def console_addresses():
    """Each concrete address under /console/, with placeholders filled in."""
    found = {}

    def walk(patterns, prefix):
        for entry in patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLPattern):
                found[route] = entry
            else:
                walk(entry.url_patterns, route)

    walk(get_resolver().url_patterns, "/")
    return sorted(address(route) for route in found if route.startswith("/console/"))


def address(route):
    def fill(match):
        return FILLED[match.group(1).split(":")[-1]]

    route = re.sub(r"\(\?P<(\w+)>.*?\)\$?$", fill, route)
    route = re.sub(r"\(\?P<(\w+)>[^)]*\)", fill, route)
    return re.sub(r"<([^>]+)>", fill, route).replace("\\Z", "").replace("^", "").replace("$", "")


def test_the_list_is_whole():
    addresses = console_addresses()
    assert len(addresses) > 80
    for expected in (
        "/console/",
        "/console/login/",
        "/console/incident/inc_1/",
        "/console/act/kill_all/all/",
        "/console/replay/rep_1/0/",
        "/console/incidents/host/",
        "/console/console/auditentry/",
        "/console/nothing/here",
    ):
        assert expected in addresses


@pytest.mark.parametrize("person", ["client", "plain_user", "staff"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_without_the_second_factor_every_door_leads_to_the_login(request, person, method):
    client = request.getfixturevalue(person)
    for path in console_addresses():
        if path in {"/console/login/"}:
            continue
        answer = getattr(client, method)(path)
        assert answer.status_code == 302, f"{person} {method} {path}: {answer.status_code}"
        where = answer.headers["Location"]
        assert where.startswith(("/console/login/", "/console/")), f"{path} leads to {where}"


def test_the_owner_gets_in_everywhere(owner):
    for path in console_addresses():
        if "logout" in path:
            continue
        answer = owner.get(path)
        # What services write has no form to add or delete it, for the owner either.
        closed = path.endswith(("/delete/", "/add/", "/autocomplete/"))
        assert answer.status_code in {200, 302, 404, 405} | ({403} if closed else set()), path
        if answer.status_code == 302:
            assert "/login/" not in answer.headers["Location"], path


def test_the_pages_that_matter_open_for_the_owner(owner, incident):
    OwnerAlert.objects.create(key="k", slot=1, priority="P1", title="t")
    for path in (
        "/console/",
        f"/console/incident/{incident.pk}/",
        "/console/incidents/incident/?open=1",
        "/console/healing/healrun/?dead=1",
        "/console/notifications/delivery/?dead=1",
        "/console/notifications/owneralert/",
        "/console/console/auditentry/",
        f"/console/incidents/host/{incident.host_id}/change/",
    ):
        assert owner.get(path).status_code == 200, path


def test_a_login_link_of_django_itself_is_no_second_door(client, staff):
    """Being logged in elsewhere in the project gives nothing here."""
    assert staff.get("/console/").status_code == 302
    assert client.get("/admin/").status_code == 404


@pytest.mark.parametrize("path", ["/console/", "/console/login/", "/console/act/kill_all/all/"])
def test_every_page_carries_the_headers(owner, client, path):
    for who in (owner, client):
        headers = who.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self' 'unsafe-eval'" in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store" or "no-store" in headers["Cache-Control"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_every_act_is_behind_the_same_door(client):
    for name in act_names():
        assert client.post(f"/console/act/{name}/x/").status_code == 302
