"""A small real host on loopback, and incidents as the intake stores them."""

import subprocess
import threading
import uuid
from dataclasses import dataclass, field
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from core import clock, ids
from healing import tasks
from healing.models import Fix, Scenario
from healing.phases import Phase
from healing.policy.intent_lock import intent_lock
from healing.runner import advance
from healing.services import run_open
from hostkit.kit import HostKit
from hostkit.shapes import ActionCall, ActionResult, Clone, Description, Invariant
from hostkit.wsgi import KriptikMiddleware
from incidents.models import Host, Incident, Report, Session
from incidents.wire import Report as WireReport
from workbench.git_plumbing import commit_changes, diff, resolve, tree_hash

SECRET = "a-secret-of-the-little-host-for-tests"
MANIFEST = """
[host]
name = "shop"
start = "python -m shop --port {port}"
test = "python -m pytest -q tests"
data_env = "SHOP_DATA"
[services.model]
env = "SHOP_MODEL_URL"
start = "python -m shop_services.model --port {port}"
[policy]
editable = ["shop/**"]
protected = ["shop/billing/**"]
autonomy = "auto"
[actions.resync_credits]
for = ["BILLING_ISSUE", "DATA_INCONSISTENCY"]
verify = "credits_match_ledger"
inverse = "restore_credits"
[actions.refresh_session]
for = ["AUTH_ISSUE"]
verify = "session_usable"
inverse = "restore_session"
[actions.refresh_session.ask]
text = "Did you change your password?"
choices = {yes = "Yes", no = "No"}
proceed = ["yes"]
"""


@dataclass
class Shop:
    """The host's state: `balance` is what it shows, `ledger` is the truth."""

    balance: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)
    sessions_ok: set[str] = field(default_factory=set)
    applied: list[tuple[str, str]] = field(default_factory=list)
    log: dict[str, ActionResult] = field(default_factory=dict)
    resync_to: int | None = None  # a broken runbook: sets this balance instead of the ledger's
    undo_fails: bool = False
    base_url: str = ""

    def run(self, call: ActionCall) -> ActionResult:
        if call.mode == "apply" and call.idempotency_key in self.log:
            return self.log[call.idempotency_key]
        result = self.plan(call)
        if call.mode == "apply":
            self.log[call.idempotency_key] = result
            if result.applicable:
                self.applied.append((call.name, call.user))
                self.change(call, result)
        return result

    def plan(self, call: ActionCall) -> ActionResult:
        if call.name == "refresh_session":
            return ActionResult(
                call.user not in self.sessions_ok, "stale epoch", {"epoch": (1, 2)}, {"epoch": 1}
            )
        before = self.balance[call.user]
        if call.name == "restore_credits":
            if self.undo_fails:
                return ActionResult(False, "the row is locked")
            return ActionResult(True, "undo", {"balance": (before, call.args["balance"])})
        after = self.ledger[call.user] if self.resync_to is None else self.resync_to
        return ActionResult(before != after, "resync", {"balance": (before, after)}, {"balance": before})

    def change(self, call: ActionCall, result: ActionResult) -> None:
        if call.name == "refresh_session":
            self.sessions_ok.add(call.user)
        else:
            self.balance[call.user] = result.changed["balance"][1]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop():
    state = Shop()
    kit = HostKit(host="shop", secret=SECRET)
    for name in ("resync_credits", "restore_credits", "refresh_session"):
        kit.action(name)(state.run)
    kit.invariant("credits_match_ledger")(
        lambda user: Invariant(
            state.balance[user] == state.ledger[user],
            {"balance": state.balance[user], "ledger": state.ledger[user]},
        )
    )
    kit.invariant("session_usable")(lambda user: Invariant(user in state.sessions_ok))
    kit.clone(lambda user: Clone(user or "generic", {"shop.db": b"rows"}))
    kit.describe(lambda user: Description(plan="pro"))

    def nothing(environ, start_response):
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]

    server = make_server("127.0.0.1", 0, KriptikMiddleware(nothing, kit), handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    state.base_url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def host(db, shop):
    return Host.objects.create(
        name="Shop",
        slug="shop",
        secret=SECRET,
        base_url=shop.base_url,
        manifest_toml=MANIFEST,
        autonomy="auto",
        environment={"SHOP_MODEL_URL": "http://127.0.0.1:7101"},
    )


@pytest.fixture(autouse=True)
def hints(monkeypatch):
    """The broker's messages, written down instead of sent: (task, id)."""
    sent: list[tuple[str, str]] = []
    for task in (tasks.heal_open, tasks.heal_answered):
        monkeypatch.setattr(task, "delay", lambda arg, name=task.name: sent.append((name, arg)))
    advance_name = tasks.heal_advance.name
    monkeypatch.setattr(
        tasks.heal_advance, "apply_async", lambda args, queue: sent.append((advance_name, args[0]))
    )
    return sent


def incident_of(
    host: Host, kind: str = "BILLING_ISSUE", user: str | None = "u1", route: str = "/billing", **payload
) -> Incident:
    """An incident with one report, as the intake would have stored them."""
    session = Session.objects.create(host=host, capability_hash=ids.new_secret(), subject="", user=user or "")
    subject = f"host:{host.pk}:user:{user}" if user else session.own_subject
    Session.objects.filter(pk=session.pk).update(subject=subject)
    incident = Incident.objects.create(
        host=host,
        fingerprint=ids.new_secret()[:40],
        kind=kind,
        severity="P1",
        title=f"{kind} at {route}",
        route=route,
        subject=subject,
        verified=user is not None,
        report_count=1,
        user_count=1,
    )
    report_add(incident, session, subject, user is not None, route=route, **payload)
    return incident


def report_add(incident, session, subject, verified, *, route="/billing", **payload) -> Report:
    body = {
        "client_event_id": str(uuid.uuid4()),
        "kind": incident.kind,
        "at": clock.now_ms(),
        "message": "something is wrong",
        "page": "http://127.0.0.1" + route,
        "route": route,
        "reasons": ["state_mismatch"],
        **payload,
    }
    WireReport.model_validate(body)  # the fixtures speak the protocol
    return Report.objects.create(
        host=incident.host,
        session=session,
        incident=incident,
        client_event_id=body["client_event_id"],
        kind=incident.kind,
        route=route,
        subject=subject,
        verified=verified,
        payload=body,
        at=clock.now(),
    )


def heal(incident: Incident, steps: int = 40):
    """Opens the run and advances it until it ends or waits for a person."""
    run = run_open(incident.pk)
    for _ in range(steps):
        if advance(run.pk) is None:
            break
    run.refresh_from_db()
    incident.refresh_from_db()
    return run


def path_of(run) -> list[str]:
    return [t.to_phase for t in run.transitions.all()]


CLIENT = """import requests


def ask(url):
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()
"""
RETRIED = """import time

import requests


def ask(url):
    for attempt in range(3):
        response = requests.get(url, timeout=5)
        if response.status_code not in (429, 503):
            break
        time.sleep(1)
    response.raise_for_status()
    return response.json()
"""


@pytest.fixture
def source(tmp_path, host):
    work = tmp_path / "work"
    (work / "shop" / "billing").mkdir(parents=True)
    (work / "shop" / "client.py").write_text(CLIENT)
    (work / "shop" / "billing" / "ledger.py").write_text("x = 1\n")
    git = ["git", "-c", "user.name=Mia", "-c", "user.email=mia@shop.example", "-C", str(work)]
    for args in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Shop"]):
        subprocess.run([*git, *args], check=True)
    host.git_dir = str(work / ".git")
    host.save()
    return work / ".git"


@pytest.fixture
def fixed(host, source):
    """A run in `verifying` with a committed fix; `make(content, path)` chooses the edit."""

    def make(content=RETRIED, path="shop/client.py", lock_path=None):
        run = run_open(incident_of(host, "SILENT_FAILURE", user="u1").pk)
        evidence = {"requests": {"trust": "attacker", "value": []}}
        base = resolve(source, "refs/heads/main")
        lock = intent_lock(
            kind="ERROR",
            user="u1",
            run=run.pk,
            base_commit=base,
            may_change=(lock_path or path,),
            must_appear={},
            has_tests=True,
            other_outcomes=0,
        )
        commit = commit_changes(source, base, {path: content.encode()}, "fix", f"refs/kriptik/fix/{run.pk}")
        fix = Fix.objects.create(
            run=run,
            base_commit=base,
            commit=commit,
            ref=f"refs/kriptik/fix/{run.pk}",
            tree_hash=tree_hash(source, commit),
            diff=diff(source, base, commit),
            template="network_retry",
            intent=lock.as_json(),
            intent_hash=lock.hash,
            paths=[path],
            gate={"decision": "tier0", "reasons": ["a retry"]},
        )
        Scenario.objects.create(
            run=run,
            body={},
            base_commit=base,
            base={"failed": 5, "runs": 5, "errors": 0, "reason": "", "output": []},
            account={"user": "u1", "files": {}},
            generic={"user": "g", "files": {}},
        )
        type(run).objects.filter(pk=run.pk).update(phase=Phase.VERIFYING, fix=fix, evidence=evidence)
        run = type(run).objects.select_related("host", "incident", "fix").get(pk=run.pk)
        run.lease_token = "held"
        type(run).objects.filter(pk=run.pk).update(lease_token="held")
        return run

    return make
