"""Starts a prepared bubblewrap command, watches it, and ends with every one of its processes dead."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.sandbox.cgroup import Cgroup
from workbench.sandbox.model import Limits, Result, SandboxError
from workbench.sandbox.output import BoundedOutput
from workbench.sandbox.watch import UsageWatch

HEARTBEAT_S = 2.0
TICK_S = 0.25
DEATH_S = 10.0  # how long the kernel may take to tear a killed PID namespace down
START_S = 20.0  # a loaded machine may take long to start a process; longer means that something hangs
CHUNK = 65536
CPU_LIMIT_CODES = (-signal.SIGXCPU, 128 + signal.SIGXCPU)


@dataclass
class Prepared:
    """A command line for the host, the descriptors it inherits, and the pipe on which bubblewrap names its
    init.
    """

    argv: Sequence[str]
    inherited: Sequence[int]
    info_read: int
    info_write: int


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    stdout: BoundedOutput
    stderr: BoundedOutput
    init: int | None = None  # pidfd of the PID namespace's init: when it is dead, so is everything inside
    init_pid: int = 0
    killed_because: str = ""
    timed_out: bool = False
    streams: dict[int, BoundedOutput] = field(default_factory=dict)


def supervise(
    prepared: Prepared, limits: Limits, group: Cgroup, watch: UsageWatch, heartbeat: Callable[[], None] | None
) -> Result:
    """Run to the end. Raises SandboxError when the sandbox could not be built."""
    started = time.monotonic()
    process = subprocess.Popen(
        prepared.argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
        pass_fds=tuple(prepared.inherited),
        start_new_session=True,  # the terminal's Ctrl-C reaches us, and we end it in order
    )
    os.close(prepared.info_write)
    running = _Running(process, BoundedOutput(limits.output_bytes), BoundedOutput(limits.output_bytes))
    try:
        _read_init(running, prepared.info_read)
        _pump(running, limits, watch, heartbeat, started)
    finally:
        _end(running)
    if running.init_pid == 0:
        raise SandboxError(f"bubblewrap did not start: {running.stderr.text().strip()[-500:]}")
    return _result(running, group, limits, time.monotonic() - started)


def _read_init(running: _Running, info: int) -> None:
    """Learn the namespace's init from bubblewrap's --info-fd; it stays unknown when bubblewrap failed
    before.
    """
    deadline = time.monotonic() + START_S
    text = b""
    while time.monotonic() < deadline:
        if select.select([info], [], [], TICK_S)[0]:
            part = os.read(info, CHUNK)
            text += part
            if not part or b"}" in text:
                break
    if b"}" in text:
        running.init_pid = int(json.loads(text)["child-pid"])
        with contextlib.suppress(ProcessLookupError):
            running.init = os.pidfd_open(running.init_pid)


def _pump(
    running: _Running,
    limits: Limits,
    watch: UsageWatch,
    heartbeat: Callable[[], None] | None,
    started: float,
) -> None:
    """Collect output until bubblewrap ends, or kill at a limit."""
    assert running.process.stdout is not None and running.process.stderr is not None
    running.streams = {
        running.process.stdout.fileno(): running.stdout,
        running.process.stderr.fileno(): running.stderr,
    }
    beat_at = started + HEARTBEAT_S
    monitor = os.pidfd_open(running.process.pid)
    try:
        while True:
            now = time.monotonic()
            if now - started >= limits.wall_s:
                running.timed_out, running.killed_because = True, f"time limit of {limits.wall_s:g} s reached"
                return
            if heartbeat is not None and now >= beat_at:
                heartbeat()
                beat_at = now + HEARTBEAT_S
            running.killed_because = watch.exceeded(running.init_pid, now)
            if running.killed_because:
                return
            wait = min(TICK_S, max(0.0, started + limits.wall_s - now))
            ready = select.select([monitor, *running.streams], [], [], wait)[0]
            _drain(running, [fd for fd in ready if fd != monitor])
            if monitor in ready:
                return
    finally:
        os.close(monitor)


def _drain(running: _Running, ready: Sequence[int]) -> None:
    for descriptor in ready:
        data = os.read(descriptor, CHUNK)
        if data:
            running.streams[descriptor].add(data)
        else:
            del running.streams[descriptor]


def _end(running: _Running) -> None:
    """Kill the namespace, wait until it is gone, then take what is left in the pipes."""
    if running.init is not None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(running.init, signal.SIGKILL)
        gone = select.select([running.init], [], [], DEATH_S)[0]
        os.close(running.init)
        if not gone:
            raise SandboxError(f"processes of the sandbox (init {running.init_pid}) do not die")
    elif running.process.poll() is None:
        running.process.kill()
    running.process.wait(DEATH_S)
    while running.streams:
        ready = select.select(list(running.streams), [], [], 0)[0]
        if not ready:
            break
        _drain(running, ready)
    for pipe in (running.process.stdout, running.process.stderr):
        if pipe is not None:
            pipe.close()


def _result(running: _Running, group: Cgroup, limits: Limits, seconds: float) -> Result:
    reason = running.killed_because
    if not reason and group.memory_kills():
        reason = f"memory limit of {limits.memory_mb} MB reached"
    if not reason and running.process.returncode in CPU_LIMIT_CODES:
        reason = f"processor time limit of {limits.cpu_s} s reached"
    stderr = running.stderr.text()
    if reason:
        stderr = f"{stderr.rstrip()}\n[sandbox] {reason}\n".lstrip()
    code = None if running.killed_because else running.process.returncode
    return Result(code, running.stdout.text(), stderr, running.timed_out, seconds)
