"""Attempts to get out of the sandbox, one table for the tests and for the benchmark.

A probe is a Python program that calls `escaped(detail)` where its attempt worked; when it ends without
that it prints that it was blocked. `BAIT` in its text is replaced by what the host laid out for it (see
EscapeBait). Probes that are to be stopped from outside say how they must end.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from workbench.sandbox import Limits, Result, Sandbox

PRELUDE = """
import ctypes, errno, os, pathlib, resource, signal, socket, stat, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def escaped(detail=""):
    print("ESCAPED", detail, flush=True)
    os._exit(0)
def tried(action):
    try:
        return action()
    except (OSError, subprocess.SubprocessError, ValueError, MemoryError):
        return None
def call(name, *arguments):
    return getattr(libc, name)(*arguments)
def syscall(number, *arguments):
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return libc.syscall(ctypes.c_long(number), *plain)
def connects(address, family=socket.AF_INET, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(0.5)
        s.connect(address)
        return True
def every_process():
    return [p for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()]
"""
EPILOGUE = '\nprint("BLOCKED", flush=True)\n'


@dataclass(frozen=True)
class EscapeProbe:
    """One attempt; `stopped` when the sandbox has to end it, `limits` when it needs narrower ones
    than usual.
    """

    name: str
    program: str
    stopped: str  # a phrase of the reason that must stand in stderr
    limits: Limits


@dataclass(frozen=True)
class EscapeBait:
    """What lies on the host for the probes to find."""

    port: int
    canary: str
    directory: Path
    pid: int

    def fill(self, program: str) -> str:
        for name in ("port", "canary", "directory", "pid"):
            program = program.replace(f"BAIT.{name}", str(getattr(self, name)))
        return program


def escape_probes_read(text: str) -> list[EscapeProbe]:
    """Parse the table. Raises ValueError for an option that there isn't."""
    probes = []
    for section in text.split("\n== ")[1:]:
        title, _, program = section.partition("\n")
        name, _, options = title.partition(" | ")
        given = dict(option.split("=", 1) for option in options.split(", ") if option)
        stopped = given.pop("stopped", "")
        program = program.partition("\n#### ")[0].strip()
        probes.append(EscapeProbe(name, program, stopped, _limits(given)))
    return probes


def _limits(given: dict[str, str]) -> Limits:
    unknown = set(given) - {field.name for field in fields(Limits)}
    if unknown:
        raise ValueError(f"a probe has unknown limits {sorted(unknown)}")
    whole = {name: int(value) for name, value in given.items() if name != "wall_s"}
    return replace(Limits(wall_s=float(given.get("wall_s", 15))), **whole)


ESCAPE_PROBES = escape_probes_read(Path(__file__).with_suffix(".txt").read_text())


@contextmanager
def escape_bait() -> Iterator[EscapeBait]:
    """Lay out services, sockets, files and processes on the host that a probe must not reach."""
    canary = secrets.token_hex(16)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bait-")))
        directory.chmod(0o755)
        (directory / "secret").write_text(canary)
        (directory / "secret").chmod(0o644)
        tcp = stack.enter_context(socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True))
        for address in (str(directory / "host.sock"), f"\0{canary}"):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        command = [sys.executable, "-c", "import time; time.sleep(600)", f"host-argument-{canary}"]
        bystander = stack.enter_context(
            subprocess.Popen(command, env={"SECRET": canary}, stdout=subprocess.DEVNULL)
        )
        stack.callback(bystander.kill)
        os.environ["KRIPTIK_CANARY"] = canary
        stack.callback(os.environ.pop, "KRIPTIK_CANARY", None)
        yield EscapeBait(tcp.getsockname()[1], canary, directory, bystander.pid)


def probe_run(sandbox: Sandbox, attempt: EscapeProbe, bait: EscapeBait) -> str:
    """Empty when the probe was blocked and nothing is left of it; otherwise what went wrong."""
    program = PRELUDE + bait.fill(attempt.program) + EPILOGUE
    with tempfile.TemporaryDirectory(prefix="probe-") as directory:
        workdir = Path(directory)
        (workdir / "probe.py").write_text(program)
        result = sandbox.run(["/usr/bin/python3", "probe.py"], workdir=workdir, limits=attempt.limits)
        return _verdict(attempt, result) or _leftovers(bait)


def probe_run_unconfined(attempt: EscapeProbe, bait: EscapeBait, workdir: Path) -> bool:
    """Whether the attempt works on the host itself: shows that a probe can tell. For harmless probes only."""
    program = PRELUDE + bait.fill(attempt.program) + EPILOGUE
    command = ["/usr/bin/python3", "-c", program]
    done = subprocess.run(command, cwd=workdir, capture_output=True, text=True, timeout=60)
    return "ESCAPED" in done.stdout


def _verdict(attempt: EscapeProbe, result: Result) -> str:
    if "ESCAPED" in result.stdout:
        return result.stdout.strip()[-300:]
    if attempt.stopped:
        held = attempt.stopped in result.stderr
        return "" if held else f"not stopped by the {attempt.stopped}: {result}"[:600]
    return "" if "BLOCKED" in result.stdout else f"the probe itself failed: {result}"[:900]


def _leftovers(bait: EscapeBait) -> str:
    if alive := processes_with(f"daemon-{bait.canary}"):
        return f"processes {alive} are still alive"
    if not Path(f"/proc/{bait.pid}").exists():
        return "a process of the host was killed"
    return ""


def processes_with(text: str) -> list[int]:
    """Processes of this machine whose command line holds the text."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if text.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found
