"""All processes start together, come back when one dies, and end together."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from kriptik_ops import supervisor
from kriptik_ops.supervisor import Program

ROOT = Path(__file__).resolve().parents[2]
# Writes its number into a file, so that the test sees when it runs and who it is.
PROGRAM = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"


def program(name, tmp_path):
    return Program(name, [sys.executable, "-c", PROGRAM, str(tmp_path / name)], {"GREETING": 'a "b" %s'})


def wait_for(fact, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not (value := fact()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value


def pid_in(path):
    return int(path.read_text()) if path.exists() and path.read_text() else 0


def test_it_restarts_what_dies_and_ends_everything(tmp_path):
    process = supervisor.start([program("one", tmp_path), program("two", tmp_path)], tmp_path)
    try:
        first = wait_for(lambda: pid_in(tmp_path / "one"))
        other = wait_for(lambda: pid_in(tmp_path / "two"))
        assert psutil.Process(first).environ()["GREETING"] == 'a "b" %s'
        os.kill(first, signal.SIGKILL)
        second = wait_for(lambda: pid_in(tmp_path / "one") not in (0, first) and pid_in(tmp_path / "one"))
    finally:
        supervisor.stop(process)
    assert not any(psutil.pid_exists(pid) for pid in (second, other))


def test_it_leaves_nothing_behind_when_its_starter_is_killed(tmp_path):
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib; from kriptik_ops import supervisor\n"
            "from kriptik_ops.supervisor import Program\n"
            f"supervisor.start([Program('one', [sys.executable, '-c', {PROGRAM!r}, sys.argv[1] + '/one'])],"
            " pathlib.Path(sys.argv[1])); time.sleep(600)",
            str(tmp_path),
        ],
        cwd=ROOT,
    )
    child = wait_for(lambda: pid_in(tmp_path / "one"))
    starter.kill()
    starter.wait()
    wait_for(lambda: not psutil.pid_exists(child))


def test_it_leaves_nothing_behind_when_supervisord_does_not_end_in_time(tmp_path, monkeypatch):
    process = supervisor.start([program("one", tmp_path)], tmp_path)
    child = wait_for(lambda: pid_in(tmp_path / "one"))
    os.kill(process.pid, signal.SIGSTOP)  # it hears no signal any more
    monkeypatch.setattr(supervisor, "STOP_S", 0.1)
    supervisor.stop(process)
    assert not psutil.pid_exists(process.pid)
    assert not psutil.pid_exists(child)
