"""All processes of one machine under supervisord: started, restarted and ended together."""

import contextlib
import ctypes
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

STOP_S = 15  # what a worker in the middle of a step gets before it is killed; its lease covers the rest
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Program:
    """One process: `priority` orders the start (low first) and, reversed, the end."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    priority: int = 100
    stop_signal: str = "TERM"


def configuration(programs: Sequence[Program], var: Path) -> str:
    """The supervisord configuration text: every log under var/log, no listening port."""
    logs = var / "log"
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={_escape(str(logs / 'supervisord.log'))}",
        f"pidfile={_escape(str(var / 'supervisord.pid'))}",
        f"childlogdir={_escape(str(logs))}",
        "",
    ]
    for program in programs:
        # env(1) instead of supervisord's `environment`, whose values can't hold a quote.
        command = ["env", *(f"{key}={value}" for key, value in program.env.items()), *program.argv]
        lines += [
            f"[program:{program.name}]",
            f"command={_escape(shlex.join(command))}",
            f"priority={program.priority}",
            f"stopsignal={program.stop_signal}",
            "stopasgroup=true",
            "killasgroup=true",
            f"stopwaitsecs={STOP_S}",
            "autorestart=true",
            "startretries=10",
            "redirect_stderr=true",
            f"stdout_logfile={_escape(str(logs / f'{program.name}.log'))}",
            "stdout_logfile_maxbytes=5MB",
            "stdout_logfile_backups=1",
            "",
        ]
    return "\n".join(lines)


def start(programs: Sequence[Program], var: Path) -> subprocess.Popen[bytes]:
    """Starts supervisord with these programs; it dies with us, whatever becomes of us."""
    (var / "log").mkdir(parents=True, exist_ok=True)
    path = var / "supervisord.conf"
    path.write_text(configuration(programs, var))
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(path)],
        # A group of its own: Ctrl-C must reach only us, so that we end the others in order.
        start_new_session=True,
        preexec_fn=_die_with_parent,
        stdin=subprocess.DEVNULL,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends supervisord and everything it started, in order; whatever is left after that is killed."""
    if process.poll() is not None:
        return
    # Remembered before: once supervisord is gone, nothing says any more whose children they were.
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=3 * STOP_S)  # it ends one priority after the other, each in up to STOP_S
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=5)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _escape(text: str) -> str:
    return text.replace("%", "%%")
