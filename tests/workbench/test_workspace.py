"""Trees on their way into a sandbox and out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.workbench.repositories import plain_git
from workbench.workspace import (
    CollectLimits,
    WorkspaceError,
    link_stays_inside,
    tree_checkout,
    tree_collect,
    tree_copy,
    worktree_copy,
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = tmp_path / "repository"
    (repository / "pkg").mkdir(parents=True)
    plain_git(repository, "init", "-q")
    (repository / "pkg" / "app.py").write_text("value = 1\r\n")
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "near").symlink_to("pkg/app.py")
    (repository / "far").symlink_to("/etc/shadow")
    (repository / ".gitignore").write_text("ignored.txt\n")
    (repository / ".gitattributes").write_text("*.py text eol=lf export-ignore\n")
    plain_git(repository, "add", "-A")
    plain_git(repository, "commit", "-q", "-m", "first")
    return repository


def test_a_checkout_has_the_bytes_of_the_commit_and_no_git(repository: Path, tmp_path: Path) -> None:
    tree_checkout(repository / ".git", "main", tmp_path / "out")
    stored = plain_git(repository, "cat-file", "-p", "main:pkg/app.py")
    assert (tmp_path / "out/pkg/app.py").read_text().strip() == stored.strip()
    assert os.access(tmp_path / "out/run.sh", os.X_OK)
    assert (tmp_path / "out/near").readlink() == Path("pkg/app.py")
    assert not os.path.lexists(tmp_path / "out/far")
    assert not (tmp_path / "out/.git").exists()


def test_only_regular_files_come_out(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("/etc/shadow")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("[core]\n")
    assert tree_collect(tmp_path) == {"kept.txt": b"kept"}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (CollectLimits(files=1), "more than 1 files"),
        (CollectLimits(file_bytes=3), r"a.txt is larger than 3 bytes"),
        (CollectLimits(total_bytes=7), "more than 7 bytes"),
    ],
)
def test_too_much_is_refused(tmp_path: Path, limits: CollectLimits, message: str) -> None:
    (tmp_path / "a.txt").write_text("aaaa")
    (tmp_path / "b.txt").write_text("bbbb")
    with pytest.raises(WorkspaceError, match=message):
        tree_collect(tmp_path, limits)


def test_a_copy_keeps_modes_and_leaves_what_is_no_file(repository: Path, tmp_path: Path) -> None:
    os.mkfifo(repository / "pipe")
    tree_copy(repository, tmp_path / "copy")
    assert os.access(tmp_path / "copy/run.sh", os.X_OK)
    assert (tmp_path / "copy/pkg/app.py").read_bytes() == (repository / "pkg/app.py").read_bytes()
    names = {path.name for path in (tmp_path / "copy").iterdir()}
    assert names == {"pkg", "run.sh", "near", ".gitignore", ".gitattributes"}


def test_a_work_tree_is_taken_as_it_is_now(repository: Path, tmp_path: Path) -> None:
    (repository / "pkg/app.py").write_text("value = 2\n")
    (repository / "new.txt").write_text("new")
    (repository / "ignored.txt").write_text("ignored")
    (repository / "run.sh").unlink()
    paths = worktree_copy(repository, tmp_path / "copy")
    assert sorted(paths) == [".gitattributes", ".gitignore", "near", "new.txt", "pkg/app.py"]
    assert (tmp_path / "copy/pkg/app.py").read_text() == "value = 2\n"


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="not a git repository"):
        worktree_copy(tmp_path, tmp_path / "copy")


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        ("a", "b", True),
        ("a/b", "../c", True),
        ("a/b", "../../c", False),
        ("a", "/etc/passwd", False),
        ("a", "b/../../c", False),
        ("a", "", False),
    ],
)
def test_a_link_is_judged_by_where_it_leads(path: str, target: str, inside: bool) -> None:
    assert link_stays_inside(path, target) is inside
