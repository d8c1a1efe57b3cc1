"""Limits that neither the kernel's resource limits nor a control group holds for us: looked at while a run
goes on.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from workbench.sandbox.model import Limits

MIB = 1024 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")
PROCESSES_EVERY_S = 0.25
DISK_EVERY_S = 0.5
DISK_SHARE = 20  # walking the directory takes at most 1/20 of the time
ENTRIES = 200_000  # files and directories that a run may add up to: inodes run out as well


class UsageWatch:
    """Sums up memory and processes (only without a control group) and the size of the work directory
    (always).
    """

    def __init__(self, limits: Limits, workdir: Path, *, memory: bool, processes: bool) -> None:
        self._limits = limits
        self._workdir = workdir
        self._memory, self._processes = memory, processes
        self._processes_at = 0.0
        self._disk_at = 0.0
        self._allowed = limits.work_mb * MIB + directory_usage(workdir)[0]

    def exceeded(self, init_pid: int, now: float) -> str:
        """The limit that is overstepped, in words; empty when none is."""
        if (self._memory or self._processes) and now >= self._processes_at:
            self._processes_at = now + PROCESSES_EVERY_S
            if reason := self._processes_exceeded(init_pid):
                return reason
        if now >= self._disk_at:
            return self._disk_exceeded(now)
        return ""

    def _processes_exceeded(self, init_pid: int) -> str:
        if not init_pid:
            return ""
        tree = process_tree(init_pid)
        if self._processes and len(tree) > self._limits.processes:
            return f"limit of {self._limits.processes} processes reached"
        if self._memory and sum(map(_resident_bytes, tree)) > self._limits.memory_mb * MIB:
            return f"memory limit of {self._limits.memory_mb} MB reached"
        return ""

    def _disk_exceeded(self, now: float) -> str:
        before = os.times().elapsed
        size, entries = directory_usage(self._workdir)
        self._disk_at = now + max(DISK_EVERY_S, DISK_SHARE * (os.times().elapsed - before))
        if size > self._allowed:
            return f"disk limit of {self._limits.work_mb} MB in the work directory reached"
        if entries > ENTRIES:
            return f"limit of {ENTRIES} files in the work directory reached"
        return ""


def directory_usage(directory: Path) -> tuple[int, int]:
    """Bytes on disk and number of entries below a directory; follows no link, stays inside the file
    system.
    """
    size = entries = 0
    pending = [os.fspath(directory)]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as listing:
            for entry in listing:
                entries += 1
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
        if entries > ENTRIES:
            break
    return size, entries


def process_tree(root: int) -> list[int]:
    """Process ids of root and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0
