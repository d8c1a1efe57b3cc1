"""`manage.py repair`: the offline repair engine by itself, on any git repository with a failing command."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from workbench.repair import CommandCheck, Hints, RepairResult, repair_search
from workbench.sandbox import SandboxError, sandbox_open
from workbench.workspace import WorkspaceError, worktree_copy

FIXED, BAD_INPUT, NOT_FIXED = 0, 2, 3
DEFAULT_BUDGET_S = 120.0

DESCRIPTION = """Find a small edit that makes a failing command pass; print the diff and what was tried.

Works in a sandboxed copy of the work tree as it is now: tracked files with their uncommitted changes,
and new files that are not ignored. Nothing in PATH changes; test files are never edited. The command
runs with your PATH, interpreters and packages mounted read-only; unless a virtual environment comes
first on it, the one that runs
manage.py does. Exit code: 0 with a fix, 3 without one, 2 for bad input."""


class BadInput(Exception):
    """The command line asks for what can't be; the message says what to do."""


class Command(BaseCommand):
    help = DESCRIPTION
    # No database, broker or migration is needed, so no check of them may stand in the way.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repo", required=True, metavar="PATH", help="a git repository, or a folder in one"
        )
        parser.add_argument("--test", required=True, metavar="COMMAND", help="a command that fails now")
        parser.add_argument("--engine", default="offline", help="offline (the only one so far)")
        parser.add_argument(
            "--files", default="**/*.py", metavar="GLOB", help="which files may change (default: %(default)s)"
        )
        parser.add_argument(
            "--budget",
            default=str(DEFAULT_BUDGET_S),
            metavar="SECONDS",
            help="default: %(default)s",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = _repair(options)
        except (BadInput, WorkspaceError, SandboxError, ValueError) as failure:
            result = RepairResult("error", message=" ".join(str(failure).split()))
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(result)))
        else:
            self._print(result)
        sys.exit({"fixed": FIXED, "not_fixed": NOT_FIXED, "error": BAD_INPUT}[result.status])

    def _print(self, result: RepairResult) -> None:
        if result.status == "error":
            self.stderr.write(f"repair: {result.message}")
            return
        for template, count in sorted(
            _tried_by_template(result).items(), key=lambda item: (-item[1], item[0])
        ):
            self.stdout.write(f"  {count:5}  {template}")
        spent = f"{result.tried} edits in {result.seconds:.1f} s"
        if result.status == "fixed":
            self.stdout.write(f"Fixed by {result.template} after {spent}:\n\n{result.diff}")
        else:
            self.stdout.write(f"Not fixed after {spent}: {result.message}.")


def _repair(options: dict[str, Any]) -> RepairResult:
    repository = Path(options["repo"])
    _require(repository.is_dir(), f"--repo {repository} is not a directory")
    _require(bool(options["test"].strip()), "--test is empty: give the command that fails")
    _require(options["engine"] == "offline", f"--engine {options['engine']!r} is unknown: use 'offline'")
    _require(bool(options["files"].strip()), "--files is empty: give a glob such as '**/*.py'")
    budget_s = _seconds(options["budget"])
    with tempfile.TemporaryDirectory(prefix="kriptik-repair-") as directory:
        tree, scratch = Path(directory) / "tree", Path(directory) / "scratch"
        scratch.mkdir()
        _require(bool(worktree_copy(repository.resolve(), tree)), f"--repo {repository} holds no files")
        check = CommandCheck(sandbox_open(), options["test"], path=command_path(), scratch=scratch)
        hints = Hints(files=(options["files"],))
        return repair_search(tree, check, hints=hints, budget_s=budget_s, scratch=scratch)


def command_path() -> str:
    """The caller's PATH; our own environment comes first unless an activated one does.

    Without that `python` would be some system Python with none of the packages that we were started with.
    """
    path = os.environ.get("PATH", os.defpath)
    python = shutil.which("python", path=path)
    if python and (Path(python).parent.parent / "pyvenv.cfg").is_file():
        return path
    return f"{Path(sys.executable).parent}{os.pathsep}{path}"


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise BadInput(message)


def _seconds(text: str) -> float:
    """Not argparse's type: with --json a wrong number is answered in JSON as well."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    _require(0 < seconds < math.inf, f"--budget {text!r} is not a number of seconds above 0")
    return seconds


def _tried_by_template(result: RepairResult) -> dict[str, int]:
    counts: dict[str, int] = {}
    for attempt in result.attempts:
        counts[attempt.template] = counts.get(attempt.template, 0) + 1
    return counts


def _as_json(result: RepairResult) -> dict[str, Any]:
    return {
        "status": result.status,
        "diff": result.diff,
        "tried": result.tried,
        "seconds": round(result.seconds, 3),
        "template": result.template,
        "message": result.message,
    }
