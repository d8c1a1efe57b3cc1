"""Taking back from the console: what is proved is called done, and what is not is named."""

import http.server
import socket
import threading

import pytest

from console.models import AuditEntry
from flags.gateway.inprocess import InProcessGateway
from flags.models import KillSwitch, Release, Rollout

pytestmark = pytest.mark.django_db
UNPROVED = ["route", "sever", "forget", "probe"]


@pytest.fixture
def candidate(host, incident):
    release = Release.objects.create(
        host=host, kind="candidate", commit="2" * 40, tree_hash="4" * 40, directory="/nowhere", spec={}
    )
    Rollout.objects.create(
        host=host, release=release, incident_id=incident.pk, phase="held", held_from="affected_user"
    )
    return release


class Stable(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway(monkeypatch):
    """A gateway that runs, with a stable behind it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stable = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stable)
    threading.Thread(target=stable.serve_forever, daemon=True).start()
    gateway = InProcessGateway(port)
    gateway.start()
    gateway.stable_set(stable.server_address[1])
    monkeypatch.setattr("flags.services.kill.gateway_open", lambda: gateway)
    yield gateway
    gateway.close()
    stable.shutdown()
    stable.server_close()


def act(client, name, subject):
    """The page that the owner lands on, and what it says in the message of this level."""
    answer = client.post(f"/console/act/{name}/{subject}/", {"reason": "it looks odd"}, follow=True)
    told = [(message.level_tag, message.message) for message in answer.context["messages"]]
    assert len(told) == 1
    assert told[0][1].split(".")[0] in answer.content.decode(), "the owner sees it"
    return told[0]


def entry(name):
    return AuditEntry.objects.get(action=f"act.{name}").detail


@pytest.mark.usefixtures("gateway")
def test_a_proved_rollback_says_so(owner, candidate):
    level, said = act(owner, "kill_release", candidate.pk)
    assert (level, said) == ("success", "Rolled back: everyone is on stable.")
    assert entry("kill_release") == {"reason": "it looks odd", "proved": True}
    assert Rollout.objects.get().finished_at is not None


def test_a_rollback_without_a_gateway_is_not_called_done(owner, candidate):
    level, said = act(owner, "kill_release", candidate.pk)
    assert level == "error"
    assert "everyone is on stable" not in said
    assert f"Not proved for {candidate.pk}: route, sever, forget, probe" in said
    assert "admin socket" in said, "it says why"
    assert "Proved: stop" in said
    assert f"python manage.py kill {candidate.pk}" in said
    detail = entry("kill_release")
    assert (detail["reason"], detail["proved"]) == ("it looks odd", False)
    assert list(detail["unproved"]) == [candidate.pk]
    assert [step["step"] for step in detail["unproved"][candidate.pk]] == UNPROVED
    assert Rollout.objects.get().phase == "rolled_back", "what can be done is done"


@pytest.mark.usefixtures("gateway")
def test_stopping_everything_says_that_all_is_taken_back_when_it_is(owner, candidate):
    level, said = act(owner, "kill_all", "all")
    assert (level, said) == ("success", "Everything is stopped; 1 candidate was taken back.")
    assert entry("kill_all")["proved"] is True


def test_stopping_everything_without_a_gateway_names_the_candidates_that_may_still_serve(owner, candidate):
    level, said = act(owner, "kill_all", "all")
    assert level == "error"
    assert said.startswith("The switch is on: nothing new starts.")
    assert f"Not proved for {candidate.pk}: route, sever, forget, probe" in said
    assert "python manage.py kill all" in said
    detail = entry("kill_all")
    assert detail["proved"] is False
    assert list(detail["unproved"]) == [candidate.pk]
    assert KillSwitch.objects.filter(lifted_at=None).exists()
