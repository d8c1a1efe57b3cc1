"""Trees of files on their way into a sandbox and out of it.

What comes out was written by untrusted code: it is read without following a link, without waiting on a
pipe, and bounded; anything but a regular file is left behind.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workbench.git_plumbing import (
    EXECUTABLE,
    SETTINGS,
    blobs,
    git_environment,
    path_check,
    tree_entries,
)

SYMLINK = "120000"
SUBMODULE = "160000"
CHUNK = 1 << 20
LISTING_S = 60


class WorkspaceError(Exception):
    """A tree can't be read or laid out; the message says which file and why."""


@dataclass(frozen=True)
class CollectLimits:
    """How much may come out of a sandbox."""

    files: int = 20_000
    file_bytes: int = 5_000_000
    total_bytes: int = 200_000_000
    skip: frozenset[str] = frozenset({".git", "__pycache__", ".pytest_cache", "node_modules"})


def tree_checkout(git_dir: Path, commit: str, into: Path) -> None:
    """Write a commit's files below `into` (made if missing), byte for byte: no filter, no attribute, no .git.

    Symbolic links that lead out of the tree and submodules are left out.
    """
    entries = [entry for entry in tree_entries(git_dir, commit) if entry.mode != SUBMODULE]
    into.mkdir(parents=True, exist_ok=True)
    for entry, content in zip(entries, blobs(git_dir, [entry.blob for entry in entries]), strict=True):
        path_check(entry.path)
        target = into / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == SYMLINK:
            if link_stays_inside(entry.path, os.fsdecode(content)):
                target.symlink_to(os.fsdecode(content))
        else:
            target.write_bytes(content)
            target.chmod(0o755 if entry.mode == EXECUTABLE else 0o644)


def tree_collect(workdir: Path, limits: CollectLimits | None = None) -> dict[str, bytes]:
    """The regular files below workdir: path from it -> content.

    Links, pipes, sockets and devices are left out. Raises WorkspaceError when there is more than the
    limits allow.
    """
    limits = limits or CollectLimits()
    files: dict[str, bytes] = {}
    total = 0
    for path, descriptor in _regular_files(workdir, limits.skip):
        content = _read(descriptor, path, limits.file_bytes)
        total += len(content)
        files[path] = content
        if len(files) > limits.files:
            raise WorkspaceError(f"more than {limits.files} files came out of the sandbox")
        if total > limits.total_bytes:
            raise WorkspaceError(f"more than {limits.total_bytes} bytes came out of the sandbox")
    return files


def tree_copy(source: Path, into: Path) -> None:
    """Copy the regular files of a tree, with their executable bits, and the links that stay inside it."""
    into.mkdir(parents=True, exist_ok=True)
    for folder, folders, names in os.walk(source):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*names, *(name for name in folders if (Path(folder) / name).is_symlink())]:
            _copy_one(source, into, str((Path(folder) / name).relative_to(source)))


def worktree_copy(repository: Path, into: Path) -> list[str]:
    """Copy what a person sees as the content of a git work tree.

    That is: tracked files as they are now (uncommitted changes included) and new ones that are not ignored.
    Returns their paths from `repository`, which may be a folder inside the work tree. Raises WorkspaceError
    when it is no git work tree.
    """
    options = [word for setting in SETTINGS for word in ("-c", setting)]
    listing = subprocess.run(
        ["git", *options, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        env=git_environment(),
        timeout=LISTING_S,
    )
    if listing.returncode != 0:
        raise WorkspaceError(f"{repository} is not a git repository with a work tree")
    into.mkdir(parents=True, exist_ok=True)
    paths = sorted({os.fsdecode(name) for name in listing.stdout.split(b"\0") if name})
    return [path for path in paths if _copy_one(repository, into, path)]


def link_stays_inside(path: str, target: str) -> bool:
    """Whether a relative link at `path` points to somewhere below the tree's root."""
    if not target or target.startswith("/"):
        return False
    depth = len(PurePosixPath(path).parts) - 1
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return False
    return True


def _copy_one(source: Path, into: Path, path: str) -> bool:
    """Copy one file or link; says whether there was something to copy (a tracked file may be deleted)."""
    origin, target = source / path, into / path
    try:
        mode = origin.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(mode):
        if not link_stays_inside(path, os.fspath(origin.readlink())):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(origin.readlink())
        return True
    if not stat.S_ISREG(mode) or not origin.parent.resolve().is_relative_to(source.resolve()):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(origin.read_bytes())
    target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
    return True


def _regular_files(root: Path, skip: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Path and open descriptor (closed when the next is asked for) of every regular file."""
    for folder, folders, names, directory in os.fwalk(root, follow_symlinks=False):
        folders[:] = sorted(name for name in folders if name not in skip)
        for name in sorted(names):
            if name in skip:
                continue
            # The type is looked up before the opening, since opening a device can act on it, and again
            # afterwards.
            if not stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
                continue
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=directory)
            try:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    yield str((Path(folder) / name).relative_to(root)), descriptor
            finally:
                os.close(descriptor)


def _read(descriptor: int, path: str, limit: int) -> bytes:
    content = b""
    while len(content) <= limit:
        part = os.read(descriptor, CHUNK)
        if not part:
            return content
        content += part
    raise WorkspaceError(f"{path} is larger than {limit} bytes")
