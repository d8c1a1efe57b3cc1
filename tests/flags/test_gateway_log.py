"""The log reader as its own process and through trouble; and similar users being told."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError

from core import clock
from flags.evidence import GATEWAY_LOG
from flags.gateway.reader import LogReader
from flags.models import Assignment, Heartbeat, RequestRecord, Rollout
from flags.phases import RolloutPhase
from notifications.feed import feed_entry
from tests.flags.conftest import ALICE, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_requests_become_records_of_the_release_that_answered(stage):
    rollout = stage.admitted()
    token = stage.token(rollout)
    stage.request("/apps/77?secret=1", token, Accept="text/html", **{"sentry-trace": "a" * 32 + "-1-1"})
    stage.request("/studio")
    stage.read_log(1, release=rollout.release_id)
    stage.read_log(1, release="stable", route="/studio")
    found = stage.records(release=rollout.release_id).get()
    assert (found.route, found.status, found.page, found.trace) == ("/apps/:id", 200, True, "a" * 32)
    assert found.member == Assignment.objects.get().member
    assert token not in str(found.__dict__)


def test_records_wait_for_a_database_that_is_away_and_no_beat_is_given(stage, monkeypatch):
    with monkeypatch.context() as broken:

        def away(*_, **__):
            raise DatabaseError("away")

        broken.setattr(RequestRecord.objects, "bulk_create", away)
        Heartbeat.objects.all().delete()
        stage.request("/studio")
        wait_for(lambda: stage.reader.step() or len(stage.reader._waiting) >= 1)
        assert not Heartbeat.objects.exists()
    stage.read_log(1, route="/studio")
    assert Heartbeat.objects.filter(name=GATEWAY_LOG).exists()
    assert stage.records(route="/studio").count() == 1


def test_a_reader_that_is_started_again_is_found_by_the_gateway(stage):
    stage.reader.close()
    stage.request("/lost")
    stage.reader = LogReader(stage.reader.folder, stage.reader.gateway)
    stage.request("/studio")
    stage.read_log(1, route="/studio")
    stage.reader.close()


def test_old_records_are_forgotten(stage):
    stage.request("/studio")
    stage.read_log(1, route="/studio")
    RequestRecord.objects.update(at=clock.now() - timedelta(hours=3))
    stage.reader._sweep_at = stage.reader._chores_at = 0.0
    stage.reader.step()
    assert not stage.records(route="/studio").exists()


def test_the_command_reads_until_it_is_told_to_stop(settings, var):
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "kriptik_ops.settings",
        "KRIPTIK_SECRET_KEY": "k" * 50,
        "KRIPTIK_VAR": str(var),
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "gateway_log"],
        cwd=Path(django_settings.BASE_DIR),
        env=env,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for((var / "gateway" / "log.sock").is_socket, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()


def test_without_a_reader_nothing_advances_and_then_all_goes_back(stage):
    rollout = stage.admitted()
    Heartbeat.objects.update(at=clock.now() - timedelta(minutes=1))
    stage.time_over(rollout)
    stage.look_once(rollout)
    assert rollout.phase == RolloutPhase.AFFECTED_USER and rollout.blind_since is not None
    Rollout.objects.filter(pk=rollout.pk).update(blind_since=clock.now() - timedelta(minutes=1))
    stage.look_once(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK and "could not see" in rollout.reason


def test_sight_that_comes_back_ends_the_freeze(stage):
    rollout = stage.admitted()
    Heartbeat.objects.update(at=clock.now() - timedelta(minutes=1))
    stage.look_once(rollout)
    assert rollout.blind_since is not None
    stage.look(rollout)
    assert rollout.blind_since is None and rollout.phase == RolloutPhase.AFFECTED_USER


def test_similar_users_get_their_token_and_lose_it_again(stage):
    for number in range(20):
        stage.session(f"u{number}")
    rollout = stage.admitted()
    stage.request(token=stage.token(rollout))
    stage.read_log(1, release=rollout.release_id)
    stage.look(rollout)
    stage.time_over(rollout)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.SIMILAR_USERS, rollout.reason
    stage.look(rollout)
    similar = list(rollout.assignments.exclude(subject=stage.subject(ALICE)))
    assert len(similar) == 2 == rollout.cohort["chosen"]
    for member in similar:
        entry = feed_entry(member.subject, rollout.pk)
        assert entry.release.token == member.token and entry.body == "", "nothing to show, only to do"
        assert stage.who_answers(member.token) == "candidate"
    assert feed_entry(stage.subject(ALICE), rollout.pk) is None, "healing tells the affected user"
    os.kill(rollout.release.pid or stage_pid(rollout), signal.SIGKILL)
    wait_for(lambda: stage.look(rollout).phase == RolloutPhase.ROLLED_BACK)
    for member in similar:
        assert feed_entry(member.subject, rollout.pk).release is None
        assert stage.who_answers(member.token) == "stable"


def stage_pid(rollout):
    rollout.release.refresh_from_db()
    return rollout.release.pid
