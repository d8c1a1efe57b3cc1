"""The controller dies before each of its effects in turn; the rollout still ends once, and as it should."""

import traceback
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db.models import Model, QuerySet

from core import clock
from flags import processes
from flags.evidence import GATEWAY_LOG
from flags.gateway import gateway_open
from flags.gateway.haproxy import HAProxyGateway
from flags.models import Assignment, Heartbeat, Release, Rollout
from flags.phases import ReleasePhase, RolloutPhase
from flags.services import rollout_replay_result
from flags.signals import rollout_moved
from notifications.models import OwnerAlert

pytestmark = pytest.mark.django_db(transaction=True)

FLAGS = str(Path(processes.__file__).parent)


class Crash(Exception):
    """The process died here."""


class Crashes:
    """Dies once at every place in flags/ from which an effect is reached: a write, a command, a process."""

    EFFECTS = (
        (QuerySet, "update"),
        (Model, "save_base"),
        (HAProxyGateway, "_tell"),
        (processes, "start"),
        (processes, "stop"),
    )

    def __init__(self, monkeypatch):
        self.places, self.armed = set(), False
        for owner, name in self.EFFECTS:
            monkeypatch.setattr(owner, name, self.wrapped(getattr(owner, name)))

    def wrapped(self, effect):
        def dies_the_first_time(*arguments, **options):
            frames = [(f.filename, f.lineno) for f in traceback.extract_stack()]
            place = (effect.__name__, *(f for f in frames if f[0].startswith(FLAGS)))
            leased = any(name.endswith("core/leases.py") for name, _ in frames)
            if self.armed and not leased and place not in self.places:
                self.places.add(place)
                raise Crash(str(place[-1]))
            return effect(*arguments, **options)

        return dies_the_first_time

    @contextmanager
    def at_every_effect(self):
        self.armed = True
        try:
            yield
        except Crash:
            pass
        finally:
            self.armed = False


@pytest.fixture
def crashes(monkeypatch):
    return Crashes(monkeypatch)


@pytest.fixture
def moves():
    heard = []

    def moved(phase, **_):
        heard.append(phase)

    rollout_moved.connect(moved)
    yield heard
    rollout_moved.disconnect(moved)


def look_until(stage, rollout, crashes, over, limit=80):
    """Looks again after every crash, as the tick does."""
    for _ in range(limit):
        with crashes.at_every_effect():
            stage.look_once(rollout)
        Heartbeat.objects.update_or_create(name=GATEWAY_LOG, defaults={"at": clock.now()})
        Rollout.objects.filter(pk=rollout.pk).update(attempts=0)  # five in a row have a test of their own
        rollout.refresh_from_db()
        if over():
            return
    raise AssertionError(f"still {rollout.phase}: {rollout.reason}")


def test_a_rollback_is_completed_whatever_line_the_controller_dies_at(stage, crashes, moves):
    rollout = stage.rollout()
    look_until(stage, rollout, crashes, lambda: rollout.phase == RolloutPhase.AFFECTED_USER)
    token = stage.token(rollout)
    assert stage.who_answers(token) == "candidate"
    Assignment.objects.update(landed_at=rollout.since)
    stage.report()
    look_until(stage, rollout, crashes, lambda: rollout.finished_at is not None)
    assert len(crashes.places) > 15, "the controller has more effects than that; is the injection working?"
    assert rollout.phase == RolloutPhase.ROLLED_BACK and rollout.proof["proved"]
    assert stage.who_answers(token) == "stable"
    assert stage.process_is_gone(rollout.release_id)
    assert gateway_open().observed().releases == {}
    assert list(rollout.transitions.values_list("to_phase", flat=True)) == ["affected_user", "rolled_back"]
    assert moves == ["affected_user", "rolled_back"], "told once each"
    assert OwnerAlert.objects.get().count == 1
    assert Assignment.objects.filter(ended_at__isnull=True).count() == 0
    assert rollout.flag.history.filter(changes__has_key="killed").count() == 1


def test_a_good_candidate_is_merged_once_whatever_line_the_controller_dies_at(stage, crashes, moves):
    rollout = stage.rollout()
    look_until(stage, rollout, crashes, lambda: rollout.phase == RolloutPhase.AFFECTED_USER)
    for phase in (RolloutPhase.SIMILAR_USERS, RolloutPhase.FULL):
        stage.time_over(rollout)
        look_until(stage, rollout, crashes, lambda: rollout.replay_wanted_at is not None)
        rollout_replay_result(rollout.pk, True, 5)
        stage.time_over(rollout)
        look_until(stage, rollout, crashes, lambda phase=phase: rollout.phase == phase)
    stage.time_over(rollout)
    look_until(stage, rollout, crashes, lambda: rollout.finished_at is not None)
    assert rollout.phase == RolloutPhase.FULL and rollout.merged_commit == stage.repository.head()
    assert stage.who_answers() == "candidate"
    assert moves == ["affected_user", "similar_users", "full"]
    assert Release.objects.filter(kind="stable", drain_until__isnull=True).get().pk == rollout.release_id
    assert Release.objects.get(pk=rollout.release_id).phase == ReleasePhase.READY
    assert gateway_open().observed().releases == {}
