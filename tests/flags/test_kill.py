"""Taking back by hand: `manage.py kill`, the kill switch, and the proof."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from core.errors import NeedsOwner, NotFound, Refused
from flags.models import KillSwitch, Release, Rollout
from flags.phases import RolloutPhase
from flags.selectors import kill_switch_on
from flags.services import kill_all, kill_lift, release_kill, rollout_approve
from tests.flags.conftest import ALICE, free_port, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def kill(*arguments):
    output = StringIO()
    call_command("kill", *arguments, stdout=output)
    return output.getvalue()


def test_a_kill_proves_itself_step_by_step(stage):
    rollout = stage.admitted()
    token = stage.token(rollout)
    proof = release_kill(rollout.release_id, reason="it looks odd", actor="mia")
    assert proof["proved"]
    assert [(s["step"], s["ok"]) for s in proof["steps"]] == [
        (step, True) for step in ("route", "sever", "forget", "stop", "probe")
    ]
    assert proof["steps"][-1]["answered_by"] == "stable"
    assert stage.who_answers(token) == "stable" and stage.process_is_gone(rollout.release_id)
    rollout.refresh_from_db()
    last = rollout.transitions.last()
    assert (last.to_phase, last.reason, last.actor) == ("rolled_back", "it looks odd", "mia")
    assert rollout.finished_at is not None


def test_killing_twice_changes_nothing(stage):
    rollout = stage.admitted()
    release_kill(rollout.release_id)
    assert release_kill(rollout.release_id)["proved"]
    assert rollout.transitions.filter(to_phase="rolled_back").count() == 1


def test_stable_and_strangers_are_refused(stage):
    with pytest.raises(NeedsOwner, match="nothing to go back to"):
        release_kill(stage.stable.pk)
    with pytest.raises(NotFound):
        release_kill("rel_none")
    with pytest.raises(CommandError, match="There is no release"):
        kill("rel_none")
    assert stage.who_answers() == "stable"


def test_a_kill_while_the_gateway_is_down_is_not_called_proved_and_is_finished_later(stage, running_haproxy):
    rollout = stage.admitted()
    running_haproxy.kill()
    proof = release_kill(rollout.release_id)
    assert not proof["proved"] and "admin socket" in proof["steps"][0]["error"]
    assert stage.process_is_gone(rollout.release_id), "what can be done is done"
    rollout.refresh_from_db()
    assert rollout.phase == RolloutPhase.ROLLED_BACK and rollout.finished_at is None
    running_haproxy.start()
    stage.look(rollout)
    assert rollout.finished_at is not None and rollout.proof["proved"]


def test_the_switch_takes_everything_back_and_lets_nothing_new_start(stage):
    live = stage.admitted(name="one")
    waiting = stage.rollout(name="two")
    output = kill("all", "--reason", "fire")
    assert "nothing new starts" in output and live.release_id in output and waiting.release_id in output
    for rollout in (live, waiting):
        rollout.refresh_from_db()
        assert rollout.phase == RolloutPhase.ROLLED_BACK and rollout.reason == "kill switch: fire"
    assert kill_switch_on()
    with pytest.raises(Refused, match="kill switch"):
        stage.rollout(name="three")
    assert "off" in kill("all", "--lift")
    assert not kill_switch_on()
    assert stage.rollout(name="three").phase == RolloutPhase.PENDING


def test_a_rollout_that_was_prepared_before_the_switch_does_not_start_after_it(stage):
    rollout = stage.rollout()
    KillSwitch.objects.create(reason="fire", actor="mia")
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK
    assert Release.objects.get(pk=rollout.release_id).started_at is None


def test_the_switch_of_one_host_stops_that_host(stage):
    rollout = stage.admitted()
    stage.host.killed = True
    stage.host.save()
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK and "kill switch" in rollout.reason


def test_only_the_switch_can_be_lifted_and_only_when_it_is_on(db):
    with pytest.raises(CommandError, match="not on"):
        kill("all", "--lift")
    with pytest.raises(CommandError, match="Only `kill all`"):
        kill("rel_1", "--lift")
    kill_all(reason="fire", actor="mia")
    assert kill_lift(actor="mia") and not kill_lift(actor="mia")
    assert KillSwitch.objects.get().lifted_by == "mia"


def test_the_command_works_in_a_process_of_its_own_with_the_broker_down(stage, settings):
    rollout = stage.admitted()
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        address = f"sqlite:///{database['NAME']}"
    else:
        who = f"{database['USER']}:{database['PASSWORD']}@" if database["USER"] else ""
        address = f"postgres://{who}{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"
    env = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "kriptik_ops.settings",
        "DATABASE_URL": address,
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
        "KRIPTIK_SECRET_KEY": "k" * 50,
        "KRIPTIK_VAR": str(settings.VAR_DIR),
        "KRIPTIK_GATEWAY_PORT": str(settings.GATEWAY_PORT),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "kill", rollout.release_id],
        cwd=Path(django_settings.BASE_DIR),
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert f"{rollout.release_id}: gone in" in done.stdout
    rollout.refresh_from_db()
    assert rollout.phase == RolloutPhase.ROLLED_BACK and rollout.proof["proved"]
    assert stage.process_is_gone(rollout.release_id)


def held(stage):
    rollout = stage.admitted()
    stage.let_time_pass(rollout, lambda: rollout.phase == RolloutPhase.HELD)
    return rollout


def test_the_owners_word_takes_a_held_rollout_to_the_next_phase(stage):
    rollout = held(stage)
    rollout_approve(rollout.pk, actor="mia", tree_hash=rollout.release.tree_hash)
    rollout.refresh_from_db()
    assert rollout.phase == RolloutPhase.SIMILAR_USERS
    assert rollout.transitions.last().actor == "mia"
    assert stage.who_answers(stage.token(rollout, ALICE)) == "candidate"


def test_an_approval_for_another_tree_or_too_late_is_refused(stage):
    rollout = held(stage)
    with pytest.raises(Refused, match="another tree"):
        rollout_approve(rollout.pk, actor="mia", tree_hash="0" * 40)
    release_kill(rollout.release_id)
    with pytest.raises(Refused, match="not held"):
        rollout_approve(rollout.pk, actor="mia", tree_hash=rollout.release.tree_hash)


def test_a_held_rollout_is_still_judged(stage):
    rollout = held(stage)
    os.kill(Release.objects.get(pk=rollout.release_id).pid, 9)
    wait_for(lambda: stage.look(rollout).phase == RolloutPhase.ROLLED_BACK)
    assert "process died" in rollout.reason


def test_a_rollout_that_nobody_can_handle_goes_back(stage, monkeypatch):
    from flags import controller, tasks

    rollout = stage.admitted()

    def breaks(*_):
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(controller, "gather", breaks)
    for _ in range(5):
        with pytest.raises(RuntimeError):
            stage.look(rollout)
    assert controller.advance(rollout.pk) is None, "a dead letter: nobody looks any more"
    monkeypatch.setattr(tasks.rollout_advance, "delay", lambda _: None)
    tasks.tick()
    rollout.refresh_from_db()
    assert rollout.phase == RolloutPhase.ROLLED_BACK and "five times" in rollout.reason
    assert Rollout.objects.get().finished_at is not None
