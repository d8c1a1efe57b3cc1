"""Releases as processes: found again, never confused with strangers, gone when they are stopped."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from pydantic import ValidationError

from flags import limits, processes, releases, tasks
from flags.gateway import gateway_open
from flags.models import Release, ReleaseKind, Rollout
from flags.phases import ReleasePhase, RolloutPhase
from flags.processes import Process
from flags.releases import (
    NoMemory,
    ReleaseFailed,
    release_build,
    release_check,
    release_start,
    release_stop,
    release_wait,
    stop_all,
)
from flags.services import stable_start
from flags.spec import ReleaseSpec
from tests.flags.conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SPEC = ReleaseSpec(start=f"{sys.executable} small_host.py {{port}}")


@pytest.fixture
def built(no_process_left, host, repository):
    def build(spec=SPEC, kind=ReleaseKind.CANDIDATE, **behaviour):
        commit = repository.commit(**{"name": "candidate", **behaviour})
        return release_build(host=host, kind=kind, commit=commit, tree_hash="", spec=spec)

    return build


def started(release):
    release_start(release.pk)
    return release_wait(release.pk, 10)


def environment_of(pid):
    raw = open(f"/proc/{pid}/environ", "rb").read().decode()  # noqa: SIM115, PTH123
    return dict(item.split("=", 1) for item in raw.split("\0") if item)


def test_a_release_gets_its_own_environment_and_none_of_our_secrets(built, tmp_path, monkeypatch):
    monkeypatch.setenv("KRIPTIK_SECRET_KEY", "ours")
    monkeypatch.setenv("DATABASE_URL", "ours")
    spec = SPEC.model_copy(update={"env": {"COLOUR": "red"}, "data_env": "DATA", "data_dir": tmp_path})
    release = started(built(spec))
    env = environment_of(release.pid)
    assert env["COLOUR"] == "red" and env["DATA"] == str(tmp_path)
    assert env["KRIPTIK_RELEASE"] == release.pk
    assert "KRIPTIK_SECRET_KEY" not in env and "DATABASE_URL" not in env


def test_stable_is_told_that_it_is_stable(built):
    release = started(built(kind=ReleaseKind.STABLE))
    assert environment_of(release.pid)["KRIPTIK_RELEASE"] == "stable"


def test_the_environment_is_unreadable_in_the_database(built):
    release = built(SPEC.model_copy(update={"env": {"KRIPTIK_SECRET": "s3cret-of-the-host"}}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT spec FROM flags_release WHERE id = %s", [release.pk])
        assert "s3cret" not in cursor.fetchone()[0]
    assert Release.objects.get(pk=release.pk).launch.env == {"KRIPTIK_SECRET": "s3cret-of-the-host"}


def test_it_lives_in_a_session_of_its_own(built):
    release = started(built())
    assert os.getsid(release.pid) == release.pid != os.getsid(0)


def test_starting_twice_is_one_process(built):
    release = started(built())
    again = release_start(release.pk)
    assert (again.pid, again.port) == (release.pid, release.port)
    assert len(processes.marked(f"{releases.MARK}={release.pk}")) == 1


def test_a_process_that_a_crash_left_unrecorded_is_adopted(built):
    release = started(built())
    Release.objects.filter(pk=release.pk).update(pid=None, birth="")
    assert release_start(release.pk).pid == release.pid


def test_of_two_who_start_it_at_once_only_one_does(built, monkeypatch):
    release = built()
    assert releases._begin(release)
    monkeypatch.setattr(releases, "_launch", lambda _: pytest.fail("launched by the second"))
    assert not releases._begin(release), "its copy of the row is old"
    assert release_start(release.pk).phase == ReleasePhase.STARTING
    assert release_check(release.pk).phase == ReleasePhase.STARTING, "it is being launched, not dead"


def test_a_launch_that_died_before_there_was_a_process_is_made_good(built, monkeypatch):
    release = built()
    assert releases._begin(release)
    monkeypatch.setattr(releases, "_LAUNCH_S", 0.2)
    assert release_wait(release.pk, 10).phase == ReleasePhase.READY
    assert len(processes.marked(f"{releases.MARK}={release.pk}")) == 1


def test_a_process_that_still_runs_though_it_was_marked_stopped_is_adopted(built):
    release = started(built())
    releases._move(release.pk, ReleasePhase.STOPPED, "everything is being stopped")
    assert release_start(release.pk).phase == ReleasePhase.STARTING
    assert release_wait(release.pk, 5).pid == release.pid


def test_a_stranger_with_the_same_number_is_never_touched(built):
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        release = built()
        Release.objects.filter(pk=release.pk).update(
            phase=ReleasePhase.READY, pid=stranger.pid, birth="another boot:123"
        )
        assert release_stop(release.pk, "stopped")
        assert stranger.poll() is None
        assert release_check(release.pk).phase == ReleasePhase.STOPPED
    finally:
        stranger.kill()
        stranger.wait()


def test_stopping_ends_the_whole_group_even_what_ignores_sigterm(built, repository, monkeypatch):
    monkeypatch.setattr(limits, "STOP_S", 0.3)
    (repository.folder / "stubborn.py").write_text(
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, 'small_host.py', sys.argv[1]], start_new_session=True)\n"
        "child.wait()\n"
    )
    release = started(built(SPEC.model_copy(update={"start": f"{sys.executable} stubborn.py {{port}}"})))
    family = processes.marked(f"{releases.MARK}={release.pk}")
    assert len(family) == 2
    assert release_stop(release.pk, "stopped")
    assert [pid for pid in family if processes.birth_of(pid)] == []


def test_a_zombie_is_not_alive():
    child = subprocess.Popen(["true"])
    wait_for(lambda: processes.birth_of(child.pid) is None)
    child.wait()


def test_a_release_that_never_gets_healthy_fails_with_a_reason(built, monkeypatch):
    monkeypatch.setattr(limits, "START_S", 0.3)
    release = built(unhealthy=True)
    release_start(release.pk)
    wait_for(lambda: release_check(release.pk).phase == ReleasePhase.FAILED)
    assert "no health check" in release.transitions.last().reason
    assert processes.marked(f"{releases.MARK}={release.pk}") == [], "nothing of it stays behind"


def test_a_command_that_does_not_exist_is_told(built):
    release = built(SPEC.model_copy(update={"start": "no-such-program {port}"}))
    with pytest.raises(ReleaseFailed, match="no-such-program"):
        release_start(release.pk)
    assert Release.objects.get(pk=release.pk).phase == ReleasePhase.FAILED


def setup_of(code, **more):
    return SPEC.model_copy(update={"setup": f"{sys.executable} -c {shlex.quote(code)}", **more})


def test_the_setup_runs_once_in_the_fresh_tree_with_the_releases_environment(built):
    code = "import os; open('made', 'a').write(os.environ['COLOUR'] + os.environ['KRIPTIK_RELEASE'])"
    release = built(setup_of(code, env={"COLOUR": "red"}))
    started(release)
    assert (Path(release.directory) / "made").read_text() == f"red{release.pk}"


def test_a_setup_that_fails_is_told_with_its_last_words_and_leaves_nothing(built, var, monkeypatch):
    with pytest.raises(ReleaseFailed, match="code 1; its last words: no wheel"):
        built(setup_of("import sys; sys.exit('no wheel')"))
    with pytest.raises(ReleaseFailed, match="no-such-program"):
        built(SPEC.model_copy(update={"setup": "no-such-program"}), name="b")
    monkeypatch.setattr(limits, "SETUP_S", 0.3)
    with pytest.raises(ReleaseFailed, match="longer than 0 s"):
        built(setup_of("import time; time.sleep(60)"), name="c")
    assert not list((var / "releases").glob("*")) and not Release.objects.exists()


def test_a_machine_short_of_memory_refuses_with_the_numbers(built, monkeypatch):
    monkeypatch.setattr(processes, "memory_available_mb", lambda: 300)
    with pytest.raises(NoMemory, match=r"300 MB are free; this release needs 332 MB"):
        release_start(built().pk)
    small = built(SPEC.model_copy(update={"memory_mb": 20}), name="small")
    assert started(small).phase == ReleasePhase.READY


def test_a_commit_that_is_not_there_is_refused_and_leaves_nothing(no_process_left, host, repository, var):
    repository.commit(name="stable")
    with pytest.raises(ReleaseFailed, match="can't be laid out"):
        release_build(host=host, kind=ReleaseKind.CANDIDATE, commit="0" * 40, tree_hash="", spec=SPEC)
    assert not list((var / "releases").glob("*")) and not Release.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"start": "python app.py"},
        {"start": ""},
        {"start": "x {port}", "health": "healthz"},
        {"start": "python 'app.py {port}"},
        {"start": "x {port}", "setup": "npm 'ci"},
    ],
)
def test_a_spec_that_can_not_work_is_refused(fields):
    with pytest.raises(ValidationError):
        ReleaseSpec(**fields)


def test_a_process_is_the_same_only_with_its_birth():
    birth = processes.birth_of(os.getpid())
    assert processes.is_alive(Process(os.getpid(), birth))
    assert not processes.is_alive(Process(os.getpid(), "x:1"))


# --- Stable, stops and starts ------------------------------------------------------------------------------


def test_stable_is_adopted_when_it_runs_already(stage):
    again = stable_start(stage.host, stage.spec, stage.stable.commit)
    assert (again.pk, again.pid) == (stage.stable.pk, stage.stable.pid)


def test_another_commit_replaces_stable(stage):
    old = stage.stable
    new = stable_start(stage.host, stage.spec, stage.repository.commit(name="newer"))
    assert new.pk != old.pk and stage.who_answers() == "newer"
    assert stage.process_is_gone(old.pk)


def test_a_stable_that_does_not_start_says_why_and_the_old_one_stays(stage):
    with pytest.raises(ReleaseFailed, match="no module named gone"):
        stable_start(stage.host, stage.spec, stage.repository.commit(name="newer", dies_at_start=True))
    assert stage.who_answers() == "stable"


def test_a_stable_that_dies_is_started_again_and_routed_to(stage):
    os.kill(stage.stable.pid, signal.SIGKILL)
    wait_for(lambda: stage.process_is_gone(stage.stable.pk))
    tasks.tick()
    assert stage.who_answers() == "stable"
    assert Release.objects.get(pk=stage.stable.pk).pid != stage.stable.pid


def test_what_was_replaced_ends_after_its_time(stage):
    Release.objects.filter(pk=stage.stable.pk).update(drain_until=stage.stable.started_at)
    tasks.tick()
    assert stage.process_is_gone(stage.stable.pk)


def test_after_everything_was_stopped_a_rollout_is_resumed_and_measured_anew(stage):
    rollout = stage.admitted()
    token = stage.token(rollout)
    assert stop_all() == []
    assert stage.process_is_gone(rollout.release_id) and stage.process_is_gone(stage.stable.pk)
    began = rollout.since
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.AFFECTED_USER, "stable comes first; until then it waits"
    stable_start(stage.host, stage.spec, stage.stable.commit)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.AFFECTED_USER and rollout.since > began
    assert stage.who_answers(token) == "candidate" and stage.who_answers() == "stable"


def test_a_phase_that_nobody_watched_is_measured_anew_and_not_skipped(stage, settings):
    rollout = stage.admitted()
    stage.time_over(rollout)
    long_ago = rollout.since
    Rollout.objects.filter(pk=rollout.pk).update(looked_at=long_ago)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.AFFECTED_USER and not rollout.extended
    assert rollout.since > long_ago and rollout.deadline > rollout.since


def test_a_dead_controller_puts_everyone_back_on_stable_and_closes_their_sockets(stage, settings):
    settings.ROLLOUT_LEASE_S = 0.3
    rollout = stage.admitted()
    token = stage.token(rollout)
    assert stage.who_answers(token) == "candidate"
    client_socket = stream_open(stage, token)
    wait_for(lambda: stage.who_answers(token) == "stable", 5)
    gateway = gateway_open()
    assert gateway.observed().releases[rollout.release_id].sessions == 1, "an open stream does not move"

    def severed():
        stage.reader.step()
        return gateway.observed().releases[rollout.release_id].sessions == 0

    wait_for(severed)
    client_socket.close()


def stream_open(stage, token):
    import socket

    connection = socket.create_connection(("127.0.0.1", stage.settings.GATEWAY_PORT))
    connection.sendall(f"GET /stream HTTP/1.1\r\nHost: x\r\nCookie: kriptik_release={token}\r\n\r\n".encode())
    assert b"200" in connection.recv(1000)
    return connection


def test_only_one_rollout_of_a_host_runs_at_a_time(stage):
    first = stage.admitted(name="one")
    second = stage.rollout(name="two")
    stage.look(second)
    assert second.phase == RolloutPhase.PENDING and first.pk in second.reason
    assert Release.objects.get(pk=second.release_id).started_at is None


def test_more_releases_than_the_cap_wait(stage, settings):
    settings.RELEASES_PER_HOUR = 0
    rollout = stage.rollout()
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.PENDING and "cap" in rollout.reason


def test_a_rollout_that_finds_no_turn_is_given_up(stage, settings):
    settings.RELEASES_PER_HOUR = 0
    rollout = stage.rollout()
    stage.look(rollout)
    Rollout.objects.filter(pk=rollout.pk).update(created_at=rollout.created_at.replace(year=2020))
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK and "found no turn: waits: 0 releases" in rollout.reason


def test_the_same_commit_asked_for_twice_is_one_rollout(stage):
    first = stage.rollout()
    commit = first.release.commit
    from flags.services import rollout_start

    again = rollout_start(host_id=stage.host.pk, commit=commit, tree_hash="x", spec=stage.spec)
    assert again.pk == first.pk and Release.objects.filter(kind="candidate").count() == 1


def test_an_anonymous_visit_starts_no_rollout(stage):
    from core.errors import Refused
    from flags.services import rollout_start

    with pytest.raises(Refused, match="anonymous"):
        rollout_start(
            host_id=stage.host.pk,
            commit=stage.stable.commit,
            tree_hash="x",
            affected_subject=f"host:{stage.host.pk}:session:ses_1",
            spec=stage.spec,
        )


def test_a_branch_that_moved_meanwhile_is_the_owners_to_decide(stage):
    rollout = stage.admitted()
    Rollout.objects.filter(pk=rollout.pk).update(phase=RolloutPhase.FULL)
    stage.repository.commit(name="somebody else was faster")
    stage.look(rollout)
    stage.time_over(rollout)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.HELD and "can't be merged into main" in rollout.reason
    assert stage.who_answers() == "candidate", "held in full: everyone stays"
