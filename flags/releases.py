"""Releases as running processes: built from a commit, started beside stable, judged healthy, stopped.

Every call may be repeated: a process that a crash left unrecorded is found by the mark in its environment.
"""

import logging
import os
import shlex
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings

from core import clock
from core.errors import Permanent, Retriable
from core.transitions import move
from flags import limits, processes
from flags.models import Release, ReleaseKind, ReleaseTransition
from flags.models.release import new_release_id
from flags.phases import RELEASE, ReleasePhase
from flags.processes import Process
from flags.selectors import release_get, stable_of
from flags.spec import ReleaseSpec
from incidents.models import Host
from workbench.git_plumbing import GitError
from workbench.workspace import WorkspaceError, tree_checkout

logger = logging.getLogger(__name__)

MARK = "KRIPTIK_RELEASE_ID"  # in each release's environment: whose process it is
# What a process needs of ours to run at all. Everything else of our environment may be a secret.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
_READY_POLL_S = 0.05
_LAUNCH_S = 2.0  # between "starting" in the row and a process that can be found


class ReleaseFailed(Permanent):
    """The release can't be built or does not become healthy; the message says why."""

    code = "release_failed"


class NoMemory(Retriable):
    """There is no room for another process of the host now."""

    code = "no_memory"


def directory_of(release_id: str) -> Path:
    return Path(settings.VAR_DIR) / "releases" / release_id


def log_of(release_id: str) -> Path:
    return Path(settings.VAR_DIR) / "log" / "releases" / f"{release_id}.log"


def release_build(
    *,
    host: Host,
    kind: ReleaseKind,
    commit: str,
    tree_hash: str,
    spec: ReleaseSpec,
    directory: Path | None = None,
) -> Release:
    """Lays the commit's tree out in var/releases/<id>/ (or takes `directory`) and records the release.

    A fresh tree is set up with the spec's `setup`. Raises ReleaseFailed when the repository does not have
    the commit, or when the setup fails.
    """
    release_id = new_release_id()
    into = directory or directory_of(release_id)
    if directory is None:
        try:
            tree_checkout(Path(host.git_dir), commit, into)
        except (GitError, WorkspaceError) as error:
            shutil.rmtree(into, ignore_errors=True)
            raise ReleaseFailed(f"{commit} of {host.git_dir} can't be laid out: {error}") from error
    release = Release(
        id=release_id,
        host=host,
        kind=kind,
        commit=commit,
        tree_hash=tree_hash,
        directory=str(into),
        spec=spec.model_dump_json(),
        health=spec.health,
    )
    if directory is None and spec.setup:
        try:
            _set_up(release, spec)
        except ReleaseFailed:
            shutil.rmtree(into, ignore_errors=True)
            raise
    release.save(force_insert=True)
    return release


def _set_up(release: Release, spec: ReleaseSpec) -> None:
    """Runs the setup command in the release's tree to its end."""
    env, log, told = _environment(release, spec), log_of(release.pk), f"its setup `{spec.setup}`"
    try:
        argv, mark = shlex.split(spec.setup), f"{MARK}={release.pk}"
        code = processes.finish(
            argv, mark, limits.SETUP_S, directory=Path(release.directory), env=env, log=log
        )
    except OSError as error:
        raise ReleaseFailed(f"{told} can't be run: {error}") from error
    if code is None:
        raise ReleaseFailed(f"{told} took longer than {limits.SETUP_S:.0f} s")
    if code:
        raise ReleaseFailed(f"{told} ended with code {code}; its last words: {last_words(release.pk)}")


def process_of(release: Release) -> Process | None:
    """The running process: the recorded one, or one that a crash left unrecorded."""
    if release.pid is not None:
        process = Process(release.pid, release.birth)
        if processes.is_alive(process):
            return process
    return processes.find(f"{MARK}={release.pk}")


def release_start(release_id: str) -> Release:
    """Starts the process, or adopts the one that runs. Does not wait for its health.

    Of two callers at once only one starts it. Raises NoMemory when the machine is short of it,
    ReleaseFailed when the command can't be run.
    """
    release = release_get(release_id)
    running = process_of(release)
    if running is None:
        _room_for(release)
        if not _begin(release):
            return release_get(release_id)
        running = _launch(release_get(release_id))
    elif release.phase not in {ReleasePhase.STARTING, ReleasePhase.READY}:
        _move(release.pk, ReleasePhase.STARTING, "its process still runs")
    Release.objects.filter(pk=release.pk).update(pid=running.pid, birth=running.birth)
    return release_get(release_id)


def _begin(release: Release) -> bool:
    """The row says `starting`, with a port, before there is a process; whether this call may launch it."""
    now = clock.now()
    values: dict[str, Any] = {"pid": None, "birth": "", "health_failures": 0}
    values |= {"port": processes.free_port(), "started_at": now}
    if release.phase == ReleasePhase.READY:  # it was ready and its process is gone
        _move(release.pk, ReleasePhase.FAILED, "its process is gone")
    if release.phase != ReleasePhase.STARTING:
        return _move(release.pk, ReleasePhase.STARTING, "starting", values)
    began = release.started_at or release.created_at
    if now - began < timedelta(seconds=_LAUNCH_S):
        return False  # somebody is just launching it
    # Who launched it died in between. Whoever changes the time first launches it now.
    rows = Release.objects.filter(pk=release.pk, phase=ReleasePhase.STARTING, started_at=release.started_at)
    return bool(rows.update(**values))


def _launch(release: Release) -> Process:
    spec = release.launch
    argv = shlex.split(spec.start.replace("{port}", str(release.port)))
    try:
        return processes.start(
            argv, directory=Path(release.directory), env=_environment(release, spec), log=log_of(release.pk)
        )
    except OSError as error:
        _move(release.pk, ReleasePhase.FAILED, f"its command can't be run: {error}")
        raise ReleaseFailed(f"`{spec.start}` can't be run in {release.directory}: {error}") from error


def _environment(release: Release, spec: ReleaseSpec) -> dict[str, str]:
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    env |= spec.env
    if spec.data_env and spec.data_dir is not None:
        env[spec.data_env] = str(spec.data_dir)
    stable = release.kind == ReleaseKind.STABLE
    env["KRIPTIK_RELEASE"] = "stable" if stable else release.pk
    env[MARK] = release.pk
    # Bytecode of another release at the same path must never be taken for this one's.
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env


def _room_for(release: Release) -> None:
    stable = stable_of(release.host_id)
    measured = processes.memory_of_mb(stable.pid) if stable is not None and stable.pid else None
    needed = release.launch.memory_mb or int((measured or limits.MEMORY_DEFAULT_MB) * limits.MEMORY_FACTOR)
    available = processes.memory_available_mb()
    if available < needed + limits.MEMORY_RESERVE_MB:
        raise NoMemory(
            f"{available} MB are free; this release needs {needed} MB and {limits.MEMORY_RESERVE_MB} MB "
            "must stay free. Stop something else, or give the machine more."
        )


def release_answers(release: Release) -> bool:
    """One health check: a 2xx within the timeout."""
    try:
        with httpx.Client(timeout=limits.HEALTH_TIMEOUT_S, trust_env=False) as client:
            return client.get(f"http://127.0.0.1:{release.port}{release.health}").is_success
    except httpx.HTTPError:
        return False


def release_check(release_id: str) -> Release:
    """Looks once at process and health, and records what it found.

    A process that is gone, or that never answered within START_S, ends in `failed`.
    """
    release = release_get(release_id)
    if release.phase not in {ReleasePhase.STARTING, ReleasePhase.READY}:
        return release
    if process_of(release) is None:
        if release.pid is None and not _start_is_over(release):
            return release  # it is just being launched
        _move(release.pk, ReleasePhase.FAILED, f"its process ended; its last words: {last_words(release.pk)}")
    elif release_answers(release):
        if release.phase == ReleasePhase.STARTING:
            _move(release.pk, ReleasePhase.READY, "it answers its health check")
        Release.objects.filter(pk=release.pk).update(health_failures=0)
    elif release.phase == ReleasePhase.READY:
        Release.objects.filter(pk=release.pk).update(health_failures=release.health_failures + 1)
    elif _start_is_over(release):
        processes.stop(process_of(release), f"{MARK}={release.pk}", limits.STOP_S)
        _move(release.pk, ReleasePhase.FAILED, f"no health check was answered within {limits.START_S:.0f} s")
    return release_get(release_id)


def _start_is_over(release: Release) -> bool:
    began = release.started_at or release.created_at
    return clock.now() - began > timedelta(seconds=limits.START_S)


def release_wait(release_id: str, seconds: float, heartbeat: Callable[[], None] | None = None) -> Release:
    """Checks until the release is ready or failed, or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        release = release_check(release_id)
        if release.phase != ReleasePhase.STARTING or time.monotonic() >= deadline:
            return release
        if release.pid is None:
            release_start(release_id)
        if heartbeat is not None:
            heartbeat()
        time.sleep(_READY_POLL_S)


def release_stop(release_id: str, reason: str) -> bool:
    """Ends the whole process group; returns whether nothing of it is left."""
    release = release_get(release_id)
    gone = processes.stop(process_of(release), f"{MARK}={release.pk}", limits.STOP_S)
    if gone and release.phase != ReleasePhase.STOPPED:
        _move(release.pk, ReleasePhase.STOPPED, reason)
    return gone


def stop_all(reason: str = "everything is being stopped") -> list[str]:
    """Ends every release that runs, for Ctrl-C; returns the ids of those that could not be ended.

    All of them are marked first: while one ends, no tick may take another for dead and start it again.
    """
    running = Release.objects.filter(phase__in=[ReleasePhase.STARTING, ReleasePhase.READY])
    ids = list(running.values_list("pk", flat=True))
    for release_id in ids:
        _move(release_id, ReleasePhase.STOPPED, reason)
    return [release_id for release_id in ids if not release_stop(release_id, reason)]


def last_words(release_id: str, size: int = 200) -> str:
    """The end of the release's log, for a person who asks why it failed."""
    try:
        return " ".join(log_of(release_id).read_bytes()[-size:].decode("utf-8", "replace").split())
    except OSError:
        return "none"


def _move(release_id: str, to: ReleasePhase, reason: str, extra: Mapping[str, Any] | None = None) -> bool:
    sources = [phase for phase in ReleasePhase if RELEASE.allows(phase, to)]
    return move(
        Release,
        release_id,
        RELEASE,
        history=ReleaseTransition,
        from_=sources,
        to=to,
        reason=reason,
        extra=extra,
    )
