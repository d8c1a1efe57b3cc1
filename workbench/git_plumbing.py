"""Git without its porcelain: no hook, filter, attribute or setting of a repository ever runs a program here.

Every call names the trusted GIT_DIR; no call looks at a work tree. What untrusted code wrote comes in as
bytes.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

NOTHING = "0" * 40
"""As the expected old value of a ref: it must not exist."""

OUR_NAME = "KripTik Ops"
OUR_EMAIL = "ops@kriptik.invalid"
TIMEOUT_S = 120
REGULAR = "100644"
EXECUTABLE = "100755"

SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.quotePath=false",
    "protocol.allow=never",
    "gc.auto=0",
    # Only says that we may read a repository of another owner; that its settings run nothing is ours to
    # see to.
    "safe.directory=*",
)


class GitError(Exception):
    """Git refused; the message is git's own."""


class RefExists(GitError):
    """The ref is there already and names something else."""


class RefMoved(GitError):
    """The ref isn't where the caller thought it was."""


@dataclass(frozen=True)
class TreeEntry:
    """One file of a tree: mode as git writes it, id of the blob, path from the root."""

    mode: str
    blob: str
    path: str


def git(git_dir: Path, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
    """Output of one git command. Raises GitError with git's message."""
    options = [word for setting in SETTINGS for word in ("-c", setting)]
    done = subprocess.run(
        ["git", *options, *arguments],
        input=stdin,
        capture_output=True,
        cwd="/",
        env=git_environment() | {"GIT_DIR": str(git_dir)} | dict(env or {}),
        timeout=TIMEOUT_S,
    )
    if done.returncode != 0:
        raise GitError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def git_environment() -> dict[str, str]:
    """An environment in which git reads no setting but the repository's own and ours."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def resolve(git_dir: Path, ref: str) -> str:
    """The commit that a branch, tag or id names. Raises GitError when there is none."""
    if ref.startswith("-"):
        raise GitError(f"{ref!r} is no name of a commit")
    found = git(git_dir, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return found.decode().strip()


def tree_hash(git_dir: Path, commit: str) -> str:
    """Id of the commit's tree: equal for equal content."""
    return git(git_dir, "rev-parse", "--verify", f"{resolve(git_dir, commit)}^{{tree}}").decode().strip()


def tree_entries(git_dir: Path, commit: str) -> list[TreeEntry]:
    """All files of a commit, links and submodules included."""
    entries = []
    for line in git(git_dir, "ls-tree", "-r", "-z", "--full-tree", resolve(git_dir, commit)).split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _, blob = facts.decode().split(" ")
            entries.append(TreeEntry(mode, blob, os.fsdecode(path)))
    return entries


def blobs(git_dir: Path, ids: list[str]) -> Iterator[bytes]:
    """Contents in the order of the ids, from one process."""
    stream = git(git_dir, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in ids).encode())
    at = 0
    for name in ids:
        end = stream.index(b"\n", at)
        header = stream[at:end].split(b" ")
        if len(header) != 3 or header[1] != b"blob":
            raise GitError(f"{name} is no file content")
        size = int(header[2])
        yield stream[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def commit_changes(git_dir: Path, base: str, changes: Mapping[str, bytes], message: str, ref: str) -> str:
    """Commit `changes` (path -> whole new content) on top of base and let ref name it; returns the commit.

    The ref is created from nothing, which is the fence: the same call made twice (by a worker that died
    in between, or by two) gives the same commit; a ref that names another commit raises RefExists.
    Author and date follow from base, so that equal changes have equal ids. Files keep their mode; new
    ones are not executable. Raises GitError for a path that can't be, or one that is a link or a
    submodule in base.
    """
    base = resolve(git_dir, base)
    git(git_dir, "check-ref-format", ref)
    modes = {entry.path: entry.mode for entry in tree_entries(git_dir, base)}
    listing = b""
    for path, content in sorted(changes.items()):
        path_check(path)
        mode = modes.get(path, REGULAR)
        if mode not in (REGULAR, EXECUTABLE):
            raise GitError(f"{path} is a link or a submodule: it can't be changed")
        blob = git(git_dir, "hash-object", "-w", "--no-filters", "--stdin", stdin=content).decode().strip()
        listing += f"{mode} {blob}\t".encode() + os.fsencode(path) + b"\0"
    with tempfile.TemporaryDirectory(prefix="kriptik-index-") as directory:
        index = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
        git(git_dir, "read-tree", base, env=index)
        git(git_dir, "update-index", "-z", "--index-info", stdin=listing, env=index)
        tree = git(git_dir, "write-tree", env=index).decode().strip()
    commit = git(
        git_dir, "commit-tree", tree, "-p", base, stdin=message.encode(), env=_signature(git_dir, base)
    )
    return _ref_create(git_dir, ref, commit.decode().strip())


def diff(git_dir: Path, a: str, b: str) -> str:
    """Unified diff from commit a to commit b."""
    flags = ("-p", "-r", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--full-index")
    return git(git_dir, "diff-tree", *flags, resolve(git_dir, a), resolve(git_dir, b)).decode(
        errors="replace"
    )


def fast_forward(git_dir: Path, branch: str, old: str, new: str) -> None:
    """Move a branch from old to new. Raises RefMoved when it isn't at old, GitError when new
    doesn't follow old.
    """
    old, new = resolve(git_dir, old), resolve(git_dir, new)
    ref = f"refs/heads/{branch}"
    git(git_dir, "check-ref-format", ref)
    try:
        git(git_dir, "merge-base", "--is-ancestor", old, new)
    except GitError as failure:
        raise GitError(f"{new} does not follow {old}: {branch} can't be moved forward") from failure
    if _ref_value(git_dir, ref) == new:
        return
    try:
        git(git_dir, "update-ref", ref, new, old)
    except GitError as failure:
        raise RefMoved(f"{branch} is no longer at {old}: {failure}") from failure


def path_check(path: str) -> None:
    """Raises GitError unless this is a plain relative path that git may hold on any system."""
    parts = path.split("/")
    bad = any(part in ("", ".", "..") or part.lower().rstrip(" .") == ".git" for part in parts)
    if bad or "\\" in path or any(ord(letter) < 32 for letter in path):
        raise GitError(f"{path!r} can't be the path of a file in a repository")


def _signature(git_dir: Path, base: str) -> dict[str, str]:
    date = git(git_dir, "show", "-s", "--no-show-signature", "--format=%ct", base).decode().strip()
    signature = {}
    for role in ("AUTHOR", "COMMITTER"):
        signature[f"GIT_{role}_NAME"] = OUR_NAME
        signature[f"GIT_{role}_EMAIL"] = OUR_EMAIL
        signature[f"GIT_{role}_DATE"] = f"{date} +0000"
    return signature


def _ref_create(git_dir: Path, ref: str, commit: str) -> str:
    try:
        git(git_dir, "update-ref", ref, commit, NOTHING)
    except GitError as failure:
        present = _ref_value(git_dir, ref)
        if not present:
            raise
        if present != commit:
            raise RefExists(f"{ref} names {present} already") from failure
    return commit


def _ref_value(git_dir: Path, ref: str) -> str:
    try:
        return git(git_dir, "rev-parse", "--verify", "--quiet", ref).decode().strip()
    except GitError:
        return ""
