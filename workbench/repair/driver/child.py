"""One forked child with a time limit."""

# pathlib is slower, and this runs once an edit.
from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable

POLL_S = 0.002


def in_child(action: Callable[[], int], output: str, timeout: float) -> tuple[int | None, float]:
    """Fork, run action there; returns its exit code (None at the time limit) and the seconds it took."""
    started = time.perf_counter()
    pid = fork_quiet(output)
    if pid == 0:
        code = 1
        try:
            code = action()
        except BaseException:
            with contextlib.suppress(BaseException):
                traceback.print_exc()
        finally:
            leave(code)
    return await_child(pid, timeout), time.perf_counter() - started


def fork_quiet(output: str) -> int:
    """Fork; the child (where this returns 0) has a process group of its own and prints to the file."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(target, 1)
        os.dup2(target, 2)
    else:
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
    return pid


def leave(code: object) -> None:
    """End the child. No interpreter shutdown: a thread of the code under test could keep it from ending."""
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) and 0 <= code < 256 else 1)


def await_child(pid: int, timeout: float) -> int | None:
    """The child's exit code, None when it had to be killed at the time limit; its whole group is
    gone then.
    """
    status = _wait(pid, timeout)
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    if status is None:
        os.waitpid(pid, 0)
        return None
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1


def _wait(pid: int, timeout: float) -> int | None:
    """Wait status of a child, or None when it still runs after timeout seconds."""
    if hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(pid)
        try:
            ended = bool(select.select([descriptor], [], [], timeout)[0])
        finally:
            os.close(descriptor)
        return os.waitpid(pid, 0)[1] if ended else None
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(POLL_S)
    return None
