"""Process groups of the operating system, told apart from strangers that got the same number later."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_POLL_S = 0.02


@dataclass(frozen=True)
class Process:
    """A process we started. `birth` never repeats on a machine, so the pair names one process for ever."""

    pid: int
    birth: str


@cache
def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str] | None:
    """The fields after the command's name (which may hold spaces and brackets): state is the first."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None


def birth_of(pid: int) -> str | None:
    """Boot id and start tick of a running process; None when there is none, or only its zombie."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in {"Z", "X"} else f"{_boot()}:{fields[19]}"


def is_alive(process: Process) -> bool:
    _reap(process.pid)
    return birth_of(process.pid) == process.birth


def start(argv: Sequence[str], *, directory: Path, env: Mapping[str, str], log: Path) -> Process:
    """Starts a command as the leader of a session of its own, its output appended to `log`.

    It outlives us: a release must not die with the worker that happened to start it.
    """
    child = _popen(argv, directory, env, log)
    return Process(child.pid, birth_of(child.pid) or "")


def finish(
    argv: Sequence[str], marker: str, seconds: float, *, directory: Path, env: Mapping[str, str], log: Path
) -> int | None:
    """Runs a command to its end and returns its exit code; None when it was ended after `seconds`.

    `marker` ("NAME=value") is in `env`: by it the command's children are found when they must end.
    """
    child = _popen(argv, directory, env, log)
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        stop(None, marker, 2.0)
        child.wait()
        return None


def _popen(
    argv: Sequence[str], directory: Path, env: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            cwd=directory,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def marked(marker: str) -> list[int]:
    """The pids whose environment holds `marker` ("NAME=value"): a group, its children, and orphans."""
    wanted = marker.encode()
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            holds = wanted in (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # gone meanwhile, or not ours
            continue
        if holds and birth_of(int(entry.name)) is not None:
            found.append(int(entry.name))
    return found


def find(marker: str) -> Process | None:
    """The leader among the marked processes: what a crash between start and record left running."""
    for pid in marked(marker):
        fields, birth = _stat(pid), birth_of(pid)
        if fields is not None and birth is not None and int(fields[3]) == pid:
            return Process(pid, birth)
    return None


def stop(process: Process | None, marker: str, seconds: float) -> bool:
    """Ends the group: SIGTERM, `seconds` of patience, SIGKILL. Returns whether nothing of it is left.

    A pid is signalled only while its birth or its marker says that it is ours.
    """
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 2.0)):
        deadline = time.monotonic() + patience
        _signal(process, marker, number)
        while time.monotonic() < deadline:
            if not _left(process, marker):
                return True
            time.sleep(_POLL_S)
    return not _left(process, marker)


def _signal(process: Process | None, marker: str, number: signal.Signals) -> None:
    if process is not None and is_alive(process):
        _quietly(os.killpg, process.pid, number)
    for pid in marked(marker):
        _quietly(os.kill, pid, number)


def _left(process: Process | None, marker: str) -> bool:
    if process is not None and is_alive(process):
        return True
    return bool(marked(marker))


def _quietly(call: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended by itself meanwhile, which is what we want
        call(pid, number)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):  # another process started it
        os.waitpid(pid, os.WNOHANG)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory_available_mb() -> int:
    """What the kernel says could be given to a new process without swapping."""
    for line in (_PROC / "meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    raise OSError("/proc/meminfo has no MemAvailable")


def memory_of_mb(pid: int) -> int | None:
    """The resident memory of one process; None when it is gone."""
    try:
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024**2
