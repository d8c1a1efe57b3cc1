"""The host's side of a sandbox's writable directories: ownership before a run, stray mount points
after it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from workbench.sandbox.model import WORK, Mount, SandboxError

OTHERS_READ = stat.S_IROTH
OTHERS_ENTER = stat.S_IROTH | stat.S_IXOTH


def workdir_hand_over(mount: Mount, uid: int) -> None:
    """As root: give a writable mount's files to the payload's uid; refuse a read-only one that it couldn't
    read.
    """
    status = mount.source.stat()
    if mount.writable:
        _chown_tree(mount.source, uid)
        return
    needed = OTHERS_ENTER if stat.S_ISDIR(status.st_mode) else OTHERS_READ
    if status.st_mode & needed != needed and status.st_uid != uid:
        raise SandboxError(f"{mount.source} is private to its owner: chmod o+rX it before mounting it")


def _chown_tree(directory: Path, uid: int) -> None:
    """Follows no link. A file with several names may be shared with a tree of the host: it stays as it is."""
    if not directory.is_dir():
        os.chown(directory, uid, uid, follow_symlinks=False)
        return
    for _, folders, files, descriptor in os.fwalk(directory, follow_symlinks=False):
        for name in (".", *folders, *files):
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            shared = stat.S_ISREG(status.st_mode) and status.st_nlink > 1
            if status.st_uid != uid and not shared:
                os.chown(name, uid, uid, dir_fd=descriptor, follow_symlinks=False)


def mountpoints_missing(workdir: Path, targets: Iterable[Path]) -> list[Path]:
    """Directories that bubblewrap will make inside workdir because a mount's target lies below it
    (outermost first).

    That happens when a toolchain of the host lives under /work.
    """
    missing: dict[Path, None] = {}
    for target in targets:
        if target != WORK and target.is_relative_to(WORK):
            path = workdir
            for part in target.relative_to(WORK).parts:
                path = path / part
                if not os.path.lexists(path):
                    missing[path] = None
    return list(missing)


def mountpoints_clean(workdir: Path, made: Sequence[Path]) -> None:
    """Remove them again, as far as they are empty and really inside (the payload could have put a link
    there).
    """
    root = workdir.resolve()
    for path in reversed(made):
        with contextlib.suppress(OSError):
            if path.parent.resolve().is_relative_to(root):
                if path.is_file() and not path.is_symlink() and path.stat().st_size == 0:
                    path.unlink()
                else:
                    path.rmdir()
