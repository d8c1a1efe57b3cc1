"""`manage.py repair` as a person runs it: exit codes, output, and a repository that stays as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.workbench.repositories import plain_git

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.sandbox


def run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # No database and no broker: settings that point nowhere must not matter.
    environment = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "repair", "--repo", str(repository), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "area.py").write_text("def area(width, height):\n    return width + height\n")
    (tmp_path / "test_area.py").write_text(
        "from area import area\n\n\ndef test_area():\n    assert area(3, 4) == 12\n"
    )
    plain_git(tmp_path, "init", "-q")
    plain_git(tmp_path, "add", "-A")
    plain_git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / "note.txt").write_text("not committed")
    return tmp_path


def everything(repository: Path) -> dict[str, bytes]:
    files = (path for path in repository.rglob("*") if path.is_file())
    return {str(path.relative_to(repository)): path.read_bytes() for path in files}


def test_a_fix_is_printed_and_nothing_changes(repository: Path) -> None:
    before = everything(repository)
    done = run(repository, "--test", "python -m pytest -q test_area.py")
    assert done.returncode == 0, done.stderr
    assert "-    return width + height\n+    return width * height\n" in done.stdout
    assert everything(repository) == before


def test_json_has_the_promised_keys(repository: Path) -> None:
    done = run(repository, "--test", "python -m pytest -q test_area.py", "--json", "--budget", "120")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["status"] == "fixed"
    assert answer["template"] == "arithmetic_operator"
    assert answer["diff"].startswith("--- a/area.py\n+++ b/area.py\n")
    assert answer["tried"] >= 1
    assert answer["seconds"] > 0


def test_no_fix_is_exit_code_three(repository: Path) -> None:
    done = run(repository, "--test", "python -c 'raise SystemExit(1)'", "--json", "--budget", "60")
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["status"] == "not_fixed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--test", ""], "--test is empty"),
        (["--test", "true"], "passes already"),
        (["--test", "false", "--engine", "magic"], "'magic' is unknown"),
        (["--test", "false", "--files", "nothing/*.py"], "no file that may be changed matches nothing/*.py"),
        (["--test", "false", "--budget", "0"], "not a number of seconds above 0"),
        (["--test", "false", "--budget", "soon"], "not a number of seconds above 0"),
        (["--test", "python 'x"], "can't be read"),
    ],
)
def test_bad_input_is_one_clear_line(
    repository: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        call_command("repair", "--repo", str(repository), *arguments, "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (ending.value.code, answer["status"]) == (2, "error")
    assert message in answer["message"]


def test_a_path_that_is_no_repository_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(SystemExit) as ending:
            call_command("repair", "--repo", str(path), "--test", "false")
        message = capsys.readouterr().err
        assert ending.value.code == 2
        assert message.startswith("repair: ")
        assert message.count("\n") == 1
