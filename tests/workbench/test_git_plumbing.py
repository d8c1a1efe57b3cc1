"""Fixes become commits without git running anything that a repository brought along."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workbench.repositories import plain_git
from workbench.git_plumbing import (
    GitError,
    RefExists,
    RefMoved,
    commit_changes,
    diff,
    fast_forward,
    resolve,
    tree_entries,
    tree_hash,
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    plain_git(tmp_path, "init", "-q")
    (tmp_path / "app.py").write_text("value = 1\n")
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "link").symlink_to("app.py")
    plain_git(tmp_path, "add", "-A")
    plain_git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def commit(repository: Path, changes: dict[str, bytes], ref: str = "refs/kriptik/fix/one") -> str:
    return commit_changes(repository / ".git", "main", changes, "Fix it\n", ref)


def test_a_fix_becomes_a_commit_on_the_base(repository: Path) -> None:
    made = commit(repository, {"app.py": b"value = 2\n", "new/file.py": b"\r\n"})
    assert plain_git(repository, "show", f"{made}:app.py") == "value = 2"
    assert plain_git(repository, "rev-parse", f"{made}^") == plain_git(repository, "rev-parse", "main")
    assert resolve(repository / ".git", "refs/kriptik/fix/one") == made
    assert (repository / "app.py").read_text() == "value = 1\n"


def test_modes_stay_and_new_files_are_not_executable(repository: Path) -> None:
    made = commit(repository, {"run.sh": b"#!/bin/sh\necho\n", "new.sh": b""})
    modes = {entry.path: entry.mode for entry in tree_entries(repository / ".git", made)}
    assert (modes["run.sh"], modes["new.sh"]) == ("100755", "100644")


def test_the_same_call_twice_gives_the_same_commit(repository: Path) -> None:
    first = commit(repository, {"app.py": b"value = 2\n"})
    assert commit(repository, {"app.py": b"value = 2\n"}) == first


def test_a_ref_that_names_something_else_is_a_fence(repository: Path) -> None:
    first = commit(repository, {"app.py": b"value = 2\n"})
    with pytest.raises(RefExists, match=first):
        commit(repository, {"app.py": b"value = 3\n"})
    assert resolve(repository / ".git", "refs/kriptik/fix/one") == first


def test_equal_trees_have_equal_hashes(repository: Path) -> None:
    one = commit(repository, {"app.py": b"value = 2\n"}, "refs/kriptik/fix/one")
    other = commit(repository, {"app.py": b"value = 2\n"}, "refs/kriptik/fix/two")
    assert tree_hash(repository / ".git", one) == tree_hash(repository / ".git", other)
    assert tree_hash(repository / ".git", one) != tree_hash(repository / ".git", "main")


def test_the_diff_shows_the_change(repository: Path) -> None:
    made = commit(repository, {"app.py": b"value = 2\n"})
    assert "-value = 1\n+value = 2\n" in diff(repository / ".git", "main", made)


@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/passwd", ".git/config", "a/.GIT/hooks/x", "a//b", "a\\b", "a\nb", "", "./a", ".git ./x"],
)
def test_a_path_that_leaves_the_tree_is_refused(repository: Path, path: str) -> None:
    with pytest.raises(GitError, match="can't be the path"):
        commit(repository, {path: b"x"})


def test_a_link_is_not_written_through(repository: Path) -> None:
    with pytest.raises(GitError, match="link"):
        commit(repository, {"link": b"x"})


def test_nothing_that_the_repository_brings_is_run(repository: Path) -> None:
    trap = repository / "trap"
    program = repository / "trap.sh"
    program.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    program.chmod(0o755)
    for name in ("post-commit", "reference-transaction", "pre-commit", "update"):
        (repository / ".git" / "hooks" / name).write_text(program.read_text())
        (repository / ".git" / "hooks" / name).chmod(0o755)
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n")
    for key in ("core.fsmonitor", "filter.x.clean", "filter.x.smudge", "diff.x.textconv", "diff.external"):
        plain_git(repository, "config", key, str(program))
    made = commit(repository, {"app.py": b"value = 2\n"})
    diff(repository / ".git", "main", made)
    fast_forward(repository / ".git", "main", resolve(repository / ".git", "main"), made)
    assert not trap.exists()


def test_a_branch_moves_forward_only_from_where_we_saw_it(repository: Path) -> None:
    old = resolve(repository / ".git", "main")
    made = commit(repository, {"app.py": b"value = 2\n"})
    other = commit(repository, {"app.py": b"value = 3\n"}, "refs/kriptik/fix/two")
    fast_forward(repository / ".git", "main", old, made)
    assert resolve(repository / ".git", "main") == made
    fast_forward(repository / ".git", "main", old, made)
    with pytest.raises(RefMoved):
        fast_forward(repository / ".git", "main", old, other)
    with pytest.raises(GitError, match="does not follow"):
        fast_forward(repository / ".git", "main", made, other)


def test_an_unknown_commit_is_an_error(repository: Path) -> None:
    for name in ("nothing", "--help", ""):
        with pytest.raises(GitError):
            resolve(repository / ".git", name)
