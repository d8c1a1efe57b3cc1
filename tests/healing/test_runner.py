"""A worker may die at any line: the run still ends once, and each effect happens once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from core import clock, leases
from healing import runner
from healing.models import HealRun, RunbookUse
from healing.phases import Phase
from healing.runner import advance
from healing.selectors import runs_due
from healing.services import run_open
from healing.steps import STEPS
from healing.tasks import heal_advance, heal_hint, heal_sweep
from notifications.models import FeedEntry
from tests.healing.conftest import heal, incident_of, path_of

CALM = ["triaging", "diagnosing", "remediating", "settled"]


class Killed(BaseException):
    """What SIGKILL looks like from inside: nothing of ours may catch it."""


def die(*_args, **_kwargs):
    raise Killed


def lease_runs_out(run):
    HealRun.objects.filter(pk=run.pk).update(lease_until=clock.now())


@pytest.fixture
def short(shop):
    shop.balance["u1"], shop.ledger["u1"] = 50, 150
    return shop


@pytest.mark.django_db
@pytest.mark.parametrize(
    "phase", [Phase.QUEUED, Phase.TRIAGING, Phase.DIAGNOSING, Phase.REMEDIATING, Phase.SETTLED]
)
@pytest.mark.parametrize(
    "moment", ["before the step", "after the step", "in the transaction", "after the commit"]
)
def test_a_run_survives_a_crash_anywhere(host, short, monkeypatch, phase, moment):
    incident = incident_of(host)
    run = run_open(incident.pk)
    while HealRun.objects.get(pk=run.pk).phase != phase:
        advance(run.pk)
    with monkeypatch.context() as patch:
        if moment == "before the step":
            patch.setattr(runner, "STEPS", {**STEPS, phase: die})
        elif moment == "after the step":
            patch.setattr(runner, "_settle", die)
        elif moment == "in the transaction":
            patch.setattr(runner, "tell_moved", die)
            patch.setattr(runner, "tell_stayed", die)
        else:
            settle = runner._settle
            patch.setattr(runner, "_settle", lambda *a: (settle(*a), die()))
        with pytest.raises(Killed):
            advance(run.pk)
    lease_runs_out(run)
    run = heal_to_the_end(run)
    assert (run.phase, path_of(run)) == (Phase.SETTLED, CALM)
    assert short.applied == [("resync_credits", "u1")]
    assert RunbookUse.objects.count() == 1
    assert run.learned_at is not None
    assert run.pattern.uses == 1


def heal_to_the_end(run):
    for _ in range(20):
        if not runs_due(5):
            break
        advance(runs_due(5)[0])
    run.refresh_from_db()
    return run


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["_commit", "_judge", "_store"])
def test_a_crash_inside_the_runbook_applies_it_once(host, short, monkeypatch, method):
    run = run_open(incident_of(host).pk)
    while HealRun.objects.get(pk=run.pk).phase != Phase.REMEDIATING:
        advance(run.pk)
    with monkeypatch.context() as patch:
        patch.setattr(f"healing.runbooks.{method}", die)
        with pytest.raises(Killed):
            advance(run.pk)
    lease_runs_out(run)
    run = heal_to_the_end(run)
    assert run.phase == Phase.SETTLED
    assert short.applied == [("resync_credits", "u1")]
    assert RunbookUse.objects.get().changed == {"balance": [50, 150]}


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_writes_nothing(host, short, monkeypatch):
    run = run_open(incident_of(host).pk)

    def slow(held):
        lease_runs_out(held)
        assert leases.claim(HealRun.objects.all(), held.pk, 60), "another worker takes over"
        return STEPS[Phase.QUEUED](held)

    monkeypatch.setattr(runner, "STEPS", {**STEPS, Phase.QUEUED: slow})
    told = FeedEntry.objects.count()
    assert advance(run.pk) is None
    run.refresh_from_db()
    assert (run.phase, path_of(run), FeedEntry.objects.count()) == (Phase.QUEUED, [], told)


@pytest.mark.django_db
def test_a_lost_lease_stops_the_runbook_before_its_effect(host, short, monkeypatch):
    run = run_open(incident_of(host).pk)
    while HealRun.objects.get(pk=run.pk).phase != Phase.REMEDIATING:
        advance(run.pk)
    step = STEPS[Phase.REMEDIATING]

    def overtaken(held):
        HealRun.objects.filter(pk=held.pk).update(lease_token="another worker's")
        return step(held)

    monkeypatch.setattr(runner, "STEPS", {**STEPS, Phase.REMEDIATING: overtaken})
    assert advance(run.pk) is None
    assert short.applied == []


@pytest.mark.django_db
def test_an_unexpected_error_is_recorded_with_the_run_and_raised_again(host, short, monkeypatch):
    run = run_open(incident_of(host).pk)

    def broken(_run):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(runner, "STEPS", {**STEPS, Phase.QUEUED: broken})
    with pytest.raises(ZeroDivisionError):
        advance(run.pk)
    run.refresh_from_db()
    assert run.last_error == "ZeroDivisionError: a bug"
    assert (run.attempts, run.lease_token) == (1, "")
    assert runs_due(5) == [], "it pauses before the next attempt"


@pytest.mark.django_db
def test_five_failed_attempts_make_a_dead_letter_that_the_owner_sees(host, short, monkeypatch):
    incident = incident_of(host)
    run = run_open(incident.pk)
    monkeypatch.setattr(runner, "STEPS", {**STEPS, Phase.QUEUED: die})
    for _ in range(5):
        with pytest.raises(Killed):
            advance(run.pk)
        lease_runs_out(run)
    assert advance(run.pk) is None, "a sixth attempt is not made"
    heal_sweep()
    run.refresh_from_db()
    incident.refresh_from_db()
    assert (run.phase, incident.status) == (Phase.GAVE_UP, "escalated")
    assert "5 attempts in queued failed" in run.outcome
    heal_sweep()
    assert path_of(run) == ["gave_up"], "buried once"


@pytest.mark.django_db
def test_the_sweep_takes_up_what_a_lost_signal_left_behind(host, short, hints):
    incident = incident_of(host)
    heal_sweep()
    assert hints == [("healing.open", incident.pk)]
    heal(incident)
    hints.clear()
    heal_sweep()
    assert hints == [], "a finished run is left in peace"


@pytest.mark.django_db(transaction=True)
def test_many_opens_at_once_make_one_live_run(host, short):
    incident = incident_of(host)
    found, errors = [], []
    gate = threading.Barrier(6)

    def open_it():
        gate.wait()
        try:
            found.append(run_open(incident.pk).pk)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(found)) == 1
    assert HealRun.objects.count() == 1


WORKER = """
import sys, django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[2]
from healing import limits, runner, runbooks
limits.LEASE_S = 1.5
from healing import tasks
commit = runbooks._judge
def stop_after_the_effect(*args):
    print("applied", flush=True)
    sys.stdin.read()
runbooks._judge = stop_after_the_effect
while runner.advance(sys.argv[1]) is not None:
    pass
"""


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_killed_after_the_effect_is_replaced_and_nothing_happens_twice(host, short):
    incident = incident_of(host)
    run = run_open(incident.pk)
    name = str(connection.settings_dict["NAME"])
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, run.pk, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "kriptik_ops.settings_test"},
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert worker.stdout.readline().strip() == b"applied"
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert short.applied == [("resync_credits", "u1")]
    assert advance(run.pk) is None, "the dead worker's lease still holds"
    deadline = time.monotonic() + 10
    while not runs_due(5) and time.monotonic() < deadline:
        time.sleep(0.05)  # the fact waited for is the lease running out
    run = heal_to_the_end(run)
    assert (run.phase, path_of(run)) == (Phase.SETTLED, CALM)
    assert short.applied == [("resync_credits", "u1")]


@pytest.mark.parametrize(
    ("phase", "queue"),
    [
        (Phase.QUEUED, "heal"),
        (Phase.REMEDIATING, "heal"),
        (Phase.REPRODUCING, "sandbox"),
        (Phase.REPAIRING, "sandbox"),
        (Phase.VERIFYING, "sandbox"),
        (Phase.ROLLING_OUT, "heal"),
    ],
)
def test_a_proof_in_the_sandbox_keeps_no_runbook_waiting(host, monkeypatch, phase, queue):
    run = HealRun.objects.create(host=host, phase=phase)
    sent = []
    monkeypatch.setattr(heal_advance, "apply_async", lambda args, queue: sent.append((args, queue)))
    heal_hint(run.pk)
    assert sent == [((run.pk,), queue)]
