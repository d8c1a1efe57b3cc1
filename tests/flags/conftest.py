"""A real gateway in front of real processes of a small host that lies in a git repository."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from core import clock, ids
from flags import controller, releases
from flags.gateway import GatewayDown, gateway_open, haproxy
from flags.gateway.inprocess import InProcessGateway
from flags.gateway.reader import LogReader
from flags.models import Assignment, Release, RequestRecord, Rollout
from flags.phases import RolloutPhase
from flags.services import rollout_start, stable_start
from flags.spec import ReleaseSpec
from incidents.models import Host, Incident, Report, Session

ALICE = "alice"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(fact, seconds=10.0, step=0.02):
    """Polls until `fact()` is true and returns it; fails the test when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = fact()
        if found:
            return found
        assert time.monotonic() < deadline, f"{getattr(fact, '__name__', fact)} did not come true"
        time.sleep(step)


class Repository:
    """The host's git repository; each commit is a build with its own behaviour."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        shutil.copy(Path(__file__).with_name("small_host.py"), folder / "small_host.py")

    @property
    def git_dir(self):
        return self.folder / ".git"

    def git(self, *arguments):
        env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        who = ("-c", "user.name=Dev", "-c", "user.email=dev@forge.example")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, branch="main", **behaviour):
        if branch != "main":
            self.git("checkout", "-q", "-B", branch, "main")
        (self.folder / "behaviour.json").write_text(json.dumps(behaviour))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", behaviour["name"])
        commit = self.git("rev-parse", "HEAD")
        self.git("checkout", "-q", "main")
        return commit

    def head(self):
        return self.git("rev-parse", "main")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


@pytest.fixture
def var(tmp_path, settings):
    settings.VAR_DIR = tmp_path / "var"
    settings.GATEWAY_PORT = free_port()
    settings.GATEWAY_ENGINE = "haproxy"
    settings.ROLLOUT_CLOCK = 1.0
    return settings.VAR_DIR


class RunningHAProxy:
    def __init__(self, settings):
        self.settings = settings
        self.process = None

    def start(self):
        argv, env = haproxy.command(self.settings)
        log = (Path(self.settings.VAR_DIR) / "haproxy.log").open("ab")
        self.process = subprocess.Popen(argv, env={**os.environ, **env}, stdout=log, stderr=log)
        log.close()
        wait_for(self.answers)

    def answers(self):
        try:
            gateway_open().ensure()
        except GatewayDown:
            assert self.process.poll() is None, (Path(self.settings.VAR_DIR) / "haproxy.log").read_text()
            return False
        return True

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def running_haproxy(var, settings):
    running = RunningHAProxy(settings)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def reader(running_haproxy, var):
    reader = LogReader(haproxy.directory(running_haproxy.settings), gateway_open())
    yield reader
    reader.close()


@pytest.fixture
def host(db, repository):
    return Host.objects.create(
        name="Forge",
        slug="forge",
        base_url="http://127.0.0.1:9",
        git_dir=str(repository.git_dir),
        origins=["http://127.0.0.1"],
    )


@pytest.fixture
def no_process_left(var):
    yield
    releases.stop_all("the test is over")


class Stage:
    """A host with its stable running behind the gateway, and the helpers of a story about a rollout."""

    def __init__(self, host, repository, reader, settings):
        self.host, self.repository, self.reader, self.settings = host, repository, reader, settings
        self.spec = ReleaseSpec(start=f"{sys.executable} small_host.py {{port}}", health="/healthz")
        self.stable = stable_start(host, self.spec, repository.commit(name="stable"))
        self.incident = Incident.objects.create(
            host=host,
            fingerprint="v1:original",
            kind="ERROR",
            severity="P1",
            title="Generate fails",
            subject=self.subject(ALICE),
        )

    def subject(self, user):
        return f"host:{self.host.pk}:user:{user}"

    def session(self, user, **facts):
        return Session.objects.create(
            host=self.host,
            capability_hash=ids.new_secret(),
            subject=self.subject(user),
            user=user,
            verified_until=clock.now() + timedelta(hours=1),
            **facts,
        )

    def rollout(self, user=ALICE, routes=("/api/generate",), paths=("forge/generate.py",), **behaviour):
        behaviour.setdefault("name", "candidate")
        commit = self.repository.commit(branch=behaviour["name"], **behaviour)
        return rollout_start(
            host_id=self.host.pk,
            commit=commit,
            tree_hash=self.repository.git("rev-parse", f"{commit}^{{tree}}"),
            incident_id=self.incident.pk,
            affected_subject=self.subject(user) if user else "",
            fingerprint=self.incident.fingerprint,
            touched_paths=list(paths),
            touched_routes=list(routes),
            spec=self.spec,
            replay="the journey",
        )

    def look(self, rollout):
        """What comes between two ticks: the log is read, the controller looks once."""
        self.reader.step()
        self.look_once(rollout)
        return rollout

    def look_once(self, rollout):
        controller.advance(rollout.pk)
        rollout.refresh_from_db()

    def admitted(self, **behaviour):
        rollout = self.rollout(**behaviour)
        wait_for(lambda: self.look(rollout).phase != RolloutPhase.PENDING)
        assert rollout.phase == RolloutPhase.AFFECTED_USER, rollout.reason
        return rollout

    def time_over(self, rollout):
        """As if the phase had begun long ago and its deadline were now."""
        now = clock.now()
        rows = Rollout.objects.filter(pk=rollout.pk)
        rows.update(since=now - timedelta(hours=1), deadline=now)
        rows.filter(replay_wanted_at__isnull=False).update(replay_wanted_at=now - timedelta(hours=1))
        rollout.refresh_from_db()

    def let_time_pass(self, rollout, fact):
        for _ in range(8):
            self.time_over(rollout)
            self.look(rollout)
            if fact():
                return
        raise AssertionError(f"still {rollout.phase}: {rollout.reason}")

    def token(self, rollout, user=ALICE):
        return Assignment.objects.get(rollout=rollout, subject=self.subject(user)).token

    def request(self, path="/api/generate", token=None, method="GET", **headers):
        cookies = {"Cookie": f"kriptik_release={token}"} if token else {}
        url = f"http://127.0.0.1:{self.settings.GATEWAY_PORT}{path}"
        with httpx.Client(trust_env=False, timeout=10) as client:
            return client.request(method, url, headers={**cookies, **headers})

    def who_answers(self, token=None, path="/"):
        return self.request(path, token).text.split()[0]

    def records(self, **of):
        return RequestRecord.objects.filter(host=self.host, **of)

    def read_log(self, count, **of):
        """Reads until so many records are there."""

        def there():
            self.reader.step()
            return self.records(**of).count() >= count

        wait_for(there)

    def report(self, user=ALICE, *, verified=True, incident=None, route="/studio", **payload):
        session = Session.objects.filter(user=user).first() or self.session(user)
        return Report.objects.create(
            host=self.host,
            session=session,
            incident=incident or self.incident,
            client_event_id=ids.new_id("evt"),
            kind="ERROR",
            route=route,
            subject=self.subject(user),
            verified=verified,
            payload=payload,
            at=clock.now(),
        )

    def process_is_gone(self, release_id):
        return releases.process_of(Release.objects.get(pk=release_id)) is None


@pytest.fixture
def stage(no_process_left, host, repository, reader, settings):
    return Stage(host, repository, reader, settings)


@pytest.fixture
def inprocess(var):
    gateway = InProcessGateway(0)
    gateway.start()
    yield gateway
    gateway.close()
