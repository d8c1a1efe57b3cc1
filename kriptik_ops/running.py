"""Starts the product on one machine, waits until it works, and ends all of it again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import httpx
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connections
from kombu.exceptions import OperationalError

from core.errors import Permanent
from kriptik_ops import fleet, hosts, preflight, supervisor
from kriptik_ops.celery import app as celery
from kriptik_ops.embedded import ensure_secret_key
from kriptik_ops.supervisor import Program

READY_S = 60.0
POLL_S = 0.1


class _Ended(Exception):
    """Ctrl-C or SIGTERM: a normal end."""


def prepare(extra_ports: dict[str, tuple[str, int]] | None = None) -> None:
    """Judges settings and machine, and brings the database up to date.

    Raises Permanent with one line a problem.
    """
    ensure_secret_key(settings.VAR_DIR)
    settings.SECRET_KEY = (settings.VAR_DIR / "secret_key").read_text().strip()
    problems = [
        *(f"{m.msg} {m.hint or ''}".strip() for m in run_checks() if m.is_serious()),
        *preflight.part_problems(),
        *preflight.port_problems({**fleet.ports(), **(extra_ports or {})}),
    ]
    if problems:
        raise Permanent("\n".join(problems))
    # The hosts' commands say `python`: that must be the one with our packages, activated or not.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    call_command("migrate", interactive=False, verbosity=0)


def run(extra: Sequence[Program], say: Callable[[str], None], ready: Callable[[], None]) -> None:
    """Runs everything until Ctrl-C; `ready` is called once the product answers.

    Raises Permanent when it does not come up in time or supervisord ends by itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    process = supervisor.start([*fleet.programs(), *extra], settings.VAR_DIR)
    try:
        _wait_until_ready(process)
        hosts.start_all(say)
        ready()
        process.wait()
        raise Permanent(f"The supervisor ended by itself; see {settings.VAR_DIR / 'log'}.")
    except _Ended:
        say("Stopping ...")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        hosts.stop_all()
        supervisor.stop(process)
        hosts.stop_all()  # a worker may have been starting a release while we stopped the others
        connections.close_all()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _Ended


def _wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_S
    pending = {"web": _web_answers, "workers": _workers_answer}
    while pending:
        if process.poll() is not None:
            raise Permanent(f"The supervisor ended at once; see {settings.VAR_DIR / 'log'}.")
        if time.monotonic() > deadline:
            raise Permanent(
                f"Not ready after {READY_S:.0f} s: {', '.join(pending)}. See {settings.VAR_DIR / 'log'}."
            )
        pending = {name: answers for name, answers in pending.items() if not answers()}
        time.sleep(POLL_S)


def _web_answers() -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{settings.PORT}/healthz", timeout=1).is_success
    except httpx.HTTPError:
        return False


def _workers_answer() -> bool:
    try:
        return len(celery.control.ping(timeout=0.5) or []) >= fleet.WORKERS
    except (OSError, OperationalError):  # the broker itself is not there yet
        return False
