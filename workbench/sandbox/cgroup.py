"""Control groups around one run, on whichever hierarchy this machine lets us write: v1, v2 or none."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from workbench.sandbox.model import Limits

ROOT = Path("/sys/fs/cgroup")
PREFIX = "kriptik-sandbox-"
MIB = 1024 * 1024
REMOVE_S = 2.0  # members leave a group asynchronously after their death


@dataclass
class Cgroup:
    """The directories of one run; holds_* tell which limits they enforce, so that others cover the rest."""

    directories: list[Path] = field(default_factory=list)
    holds_memory: bool = False
    holds_processes: bool = False

    @property
    def entry_files(self) -> list[Path]:
        """Writing a process id into each of these brings the process into the group."""
        return [directory / "cgroup.procs" for directory in self.directories]

    def memory_kills(self) -> int:
        """How often the kernel killed a member for reaching the memory limit."""
        for directory in self.directories:
            for name in ("memory.oom_control", "memory.events"):
                with contextlib.suppress(OSError, ValueError):
                    for line in (directory / name).read_text().splitlines():
                        if line.startswith("oom_kill "):
                            return int(line.split()[1])
        return 0

    def remove(self) -> None:
        deadline = time.monotonic() + REMOVE_S
        for directory in self.directories:
            while True:
                try:
                    directory.rmdir()
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.002)
                    continue
                break
        self.directories = []


def cgroup_create(limits: Limits) -> Cgroup:
    """A group with the memory and process limits, as far as this machine allows; an empty one otherwise."""
    name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    group = Cgroup()
    if (ROOT / "cgroup.controllers").exists():
        _create_v2(group, name, limits)
    else:
        group.holds_memory = _create_v1(group, "memory", name, _v1_memory(limits))
        group.holds_processes = _create_v1(group, "pids", name, {"pids.max": str(limits.processes)})
    return group


def cgroup_sweep() -> None:
    """Remove groups of processes that died without cleaning up."""
    for parent in {_own_group("memory"), _own_group("pids"), _own_group("")}:
        for leftover in parent.glob(f"{PREFIX}*") if parent.is_dir() else ():
            owner = leftover.name.removeprefix(PREFIX).split("-")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                with contextlib.suppress(OSError):
                    leftover.rmdir()


def _v1_memory(limits: Limits) -> dict[str, str]:
    amount = str(limits.memory_mb * MIB)
    return {"memory.limit_in_bytes": amount, "memory.memsw.limit_in_bytes": amount}


def _create_v1(group: Cgroup, controller: str, name: str, values: dict[str, str]) -> bool:
    directory = _own_group(controller) / name
    try:
        directory.mkdir()
    except OSError:
        return False
    group.directories.append(directory)
    return _write_limits(directory, values)


def _create_v2(group: Cgroup, name: str, limits: Limits) -> None:
    # Without delegation the parent passes no controller on, and then a group would limit nothing.
    parent = _own_group("")
    with contextlib.suppress(OSError):
        passed_on = set((parent / "cgroup.subtree_control").read_text().split())
        if not passed_on & {"memory", "pids"} or not os.access(parent / "cgroup.procs", os.W_OK):
            return
        directory = parent / name
        directory.mkdir()
        group.directories.append(directory)
        memory = {
            "memory.max": str(limits.memory_mb * MIB),
            "memory.swap.max": "0",
            "memory.oom.group": "1",
        }
        group.holds_memory = "memory" in passed_on and _write_limits(directory, memory)
        group.holds_processes = "pids" in passed_on and _write_limits(
            directory, {"pids.max": str(limits.processes)}
        )


def _write_limits(directory: Path, values: dict[str, str]) -> bool:
    """Write what exists (swap accounting is a kernel option); the first value is the limit that must hold."""
    held = False
    for number, (name, value) in enumerate(values.items()):
        if (directory / name).exists():
            try:
                (directory / name).write_text(value)
            except OSError:
                continue
            held = held or number == 0
    return held


def _own_group(controller: str) -> Path:
    """Directory of the group that this process is in; controller "" means version 2."""
    mount = ROOT / controller if controller else ROOT
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            if controller in names.split(",") and (mount / path.lstrip("/")).is_dir():
                return mount / path.lstrip("/")
    return mount
