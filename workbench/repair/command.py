"""A test command as a check: parsed so that many edits can be tried in one interpreter, judged by
the real thing.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.repair.model import CheckResult
from workbench.repair.stream import EditStream, read_regular
from workbench.sandbox import (
    WORK,
    Limits,
    Mount,
    Sandbox,
    SandboxError,
    python_mounts,
    toolchain_mounts,
)
from workbench.workspace import tree_copy

PYTHON = re.compile(r"python(\d(\.\d+)?)?$")
SHELL_ONLY = re.compile(r"[|&;<>()$`\n*?\[~#]")
FLAGS_WITH_VALUE = ("-W", "-X")
DRIVER = Path(__file__).with_name("driver")
INSIDE = WORK / "kriptik"
MEMORY_MB = 1536
# Exit code -> what stands in the last line then: a test may well end with one of these codes by itself.
MISSING = {126: "[Pp]ermission denied", 127: "[Nn]o such file|not found", 2: "can't open file "}

OBSERVE_TEST_S = (
    1.0  # a test that takes longer (processor seconds) on the unchanged tree counts as one that hangs
)
OBSERVE_S = 20.0
SCRIPT_S = 6.0
HANG_FACTOR = 6.0  # an edit may make a test so many times slower
LEAST_TIMEOUT_S = 0.25
WAITING_S = (
    5.0  # what a run may take beyond its processor time: machines are busy, and edits that wait are rare
)


@dataclass(frozen=True)
class Command:
    """How to run the tests. kind: pytest, module, script or code run inside a Python; shell is
    anything else.
    """

    text: str
    kind: str
    target: str
    args: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


@dataclass
class Observation:
    """What the unchanged tree did. Lines are (path, line); a test's lines are those that ran during it."""

    tests: list[dict[str, Any]] = field(default_factory=list)
    lines: set[tuple[str, int]] = field(default_factory=set)
    modules: list[str] = field(default_factory=list)
    seconds: float = OBSERVE_S
    output: str = ""
    light: bool = False  # pytest needs none of the plugins that are installed

    @property
    def shows_failure(self) -> bool:
        """Whether it is certain, without the real command's end, that the tests don't pass."""
        return any(not test["passed"] and not test["hung"] for test in self.tests)

    @property
    def failing(self) -> list[str]:
        return [test["id"] for test in self.tests if not test["passed"]]


def command_parse(text: str, path: str) -> Command:
    """Raises ValueError for an empty or unbalanced command."""
    try:
        words = shlex.split(text)
    except ValueError as failure:
        raise ValueError(f"the test command can't be read ({failure}): {text}") from failure
    if not words:
        raise ValueError("the test command is empty")
    env: dict[str, str] = {}
    while words and re.match(r"[A-Za-z_]\w*=", words[0]):
        name, _, value = words.pop(0).partition("=")
        env[name] = value
    shell = Command(text, "shell", text)
    if not words or SHELL_ONLY.search(_unquoted(text)):
        return shell
    if words[0] in ("pytest", "py.test"):
        found = shutil.which(words[0], path=path)
        python = Path(found).with_name("python") if found else None
        if python is None or not python.exists():
            return shell
        return Command(text, "pytest", "pytest", tuple(words[1:]), (str(python),), env)
    if PYTHON.match(Path(words[0]).name):
        return _python_command(text, words, env) or shell
    return shell


def _unquoted(text: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"$`]*\"", "", text)


def _python_command(text: str, words: list[str], env: dict[str, str]) -> Command | None:
    """`python [flags] -m module|-c code|script args`; None when it reads a program from elsewhere."""
    at = 1
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-m", "-c", "-"):
        at += 2 if words[at] in FLAGS_WITH_VALUE else 1
    python, rest = tuple(words[:at]), words[at:]
    if rest[:1] in (["-m"], ["-c"]) and len(rest) > 1:
        kind = "code" if rest[0] == "-c" else "pytest" if rest[1] in ("pytest", "py.test") else "module"
        return Command(text, kind, rest[1], tuple(rest[2:]), python, env)
    if rest and not rest[0].startswith("-"):
        return Command(text, "script", rest[0], tuple(rest[1:]), python, env)
    return None


class CommandCheck:
    """Runs a command on trees in the sandbox: exactly as given when called, by the driver for many edits.

    scratch is where copies of trees are made; path is the PATH inside; wall_s bounds one run of the command.
    """

    def __init__(
        self, sandbox: Sandbox, command: str, *, path: str, scratch: Path, wall_s: float = 60.0
    ) -> None:
        self.sandbox = sandbox
        self.command = command_parse(command, path)
        self.scratch = scratch
        self._path = path
        self._wall_s = wall_s
        self._mounts = toolchain_mounts(path)
        if self.command.kind == "shell":
            self._mounts = _merged(self._mounts, python_mounts())
        self._serial = 0

    def bound(self, seconds: float) -> None:
        """Let no run of the command take longer."""
        self._wall_s = min(self._wall_s, max(seconds, LEAST_TIMEOUT_S))

    def expect(self, seen: Observation) -> None:
        """Bound later runs of the command by what the tests took: an edit that makes it hang must
        not cost much.
        """
        healthy = sum(test["seconds"] for test in seen.tests if not test["hung"])
        self.bound(20.0 + 10.0 * (healthy or min(seen.seconds, SCRIPT_S)))

    def __call__(self, tree: Path, heartbeat: Callable[[], None] | None = None) -> CheckResult:
        """The exact command on a fresh copy of the tree, so that a run leaves nothing in it."""
        copy = self._copy(tree)
        try:
            limits = Limits(wall_s=self._wall_s, memory_mb=MEMORY_MB)
            result = self.sandbox.run(
                ["/bin/sh", "-c", self.command.text],
                workdir=copy,
                mounts=self._mounts,
                env=self._environment(),
                limits=limits,
                heartbeat=heartbeat,
            )
        finally:
            shutil.rmtree(copy, ignore_errors=True)
        output = result.stdout + result.stderr
        return CheckResult(result.exit_code == 0, output, _missing(result.exit_code, result.stderr))

    def observe(self, tree: Path, seconds: float) -> Observation:
        """Outcomes, times and executed lines of the unchanged tree. Raises SandboxError when that
        can't be had, or not in so many seconds.
        """
        wall_s = min(OBSERVE_S * 2 + 20, max(seconds, LEAST_TIMEOUT_S))
        workdir = self._driver_copy(tree)
        try:
            found = self._drive(workdir, {"mode": "observe", "timeout": OBSERVE_S}, wall_s)
        finally:
            shutil.rmtree(workdir, ignore_errors=True)
        if not found:
            raise SandboxError("the test command could not be observed")
        report = json.loads(found)
        plain, traced = report["plain"], report["traced"]
        lines = {(path, line) for path, line in traced["lines"]}
        tests = plain["tests"]
        ran = {test["id"]: test["lines"] for test in traced["tests"]}
        for test in tests:
            test["lines"] = {(path, line) for path, line in ran.get(test["id"], [])}
            lines |= test["lines"]
        modules = sorted({*plain["modules"], *traced["modules"]})
        return Observation(tests, lines, modules, plain["seconds"], plain["output"], report["light"])

    def stream(self, tree: Path, seen: Observation, *, seconds: float) -> EditStream:
        """Open a sandbox that tries edits one after the other, for at most so many seconds."""
        workdir = self._driver_copy(tree)
        job = {
            "mode": "serve",
            "edits": str(INSIDE / "edits.jsonl"),
            "stop": str(INSIDE / "stop"),
            "seconds": seconds,
            "preload": seen.modules,
            "light": seen.light,
            **self._timeouts(seen),
        }
        return EditStream(workdir, workdir / INSIDE.name, lambda: self._drive(workdir, job, seconds + 30))

    def _timeouts(self, seen: Observation) -> dict[str, Any]:
        """Processor seconds of one test and seconds of a whole run with an edit, from what they
        took without.
        """
        healthy = [test["seconds"] for test in seen.tests if not test["hung"]]
        one = min(OBSERVE_TEST_S * 2, max(LEAST_TIMEOUT_S, HANG_FACTOR * max(healthy, default=0.1)))
        whole = HANG_FACTOR * sum(healthy)
        if not seen.tests:
            one = max(4 * LEAST_TIMEOUT_S, 3 * min(SCRIPT_S, seen.seconds))
            whole = 3 * one
        return {"test_timeout": one, "timeout": WAITING_S + whole, "failing": seen.failing}

    def _drive(self, workdir: Path, job: dict[str, Any], wall_s: float) -> str:
        """Run the driver in the sandbox and return what it wrote as its results."""
        inside = workdir / INSIDE.name
        command = self.command
        whole = {
            "kind": command.kind,
            "target": command.target,
            "args": command.args,
            "tree": str(WORK / "tree"),
            "scratch": str(INSIDE),
            "results": str(INSIDE / "results"),
            "preload": [],
            "light": False,
            "failing": [],
            "test_timeout": OBSERVE_TEST_S,
            "script_timeout": SCRIPT_S,
            "memory": MEMORY_MB * 2**20 * 2,
            **job,
        }
        (inside / "job.json").write_text(json.dumps(whole))
        python = command.python or (sys.executable,)
        start = f"import sys; sys.path[0] = {str(INSIDE)!r}; from {DRIVER.name} import main; main.main()"
        limits = Limits(wall_s=wall_s, cpu_s=int(wall_s * 2) + 10, memory_mb=MEMORY_MB * 2)
        result = self.sandbox.run(
            [*python, "-c", start, str(INSIDE / "job.json")],
            workdir=workdir,
            mounts=self._mounts,
            env={**self._environment(), "PYTHONHASHSEED": "0"},
            limits=limits,
        )
        if result.exit_code != 0 and not result.timed_out:
            raise SandboxError(f"the driver of the test command failed: {result.stderr.strip()[-400:]}")
        return read_regular(inside / "results")

    def _environment(self) -> dict[str, str]:
        own = {"PATH": self._path, "PYTHONDONTWRITEBYTECODE": "1"}
        return {**own, **self.command.env}

    def _driver_copy(self, tree: Path) -> Path:
        workdir = self._copy(tree, below="tree")
        for cache in list((workdir / "tree").rglob("__pycache__")):
            # Edits follow each other within a second and may have equal sizes: a stale .pyc would hide them.
            shutil.rmtree(cache, ignore_errors=True)
        (workdir / INSIDE.name).mkdir()
        shutil.copytree(
            DRIVER, workdir / INSIDE.name / DRIVER.name, ignore=shutil.ignore_patterns("__pycache__")
        )
        return workdir

    def _copy(self, tree: Path, below: str = "") -> Path:
        self._serial += 1
        target = self.scratch / f"run-{os.getpid()}-{self._serial}-{os.urandom(3).hex()}"
        tree_copy(tree, target / below)
        return target


def _missing(code: int | None, stderr: str) -> str:
    """The shell's or Python's last words when what they should run is not there."""
    words = MISSING.get(code or 0)
    last = stderr.strip().rpartition("\n")[2]
    return last if words and re.search(words, last) else ""


def _merged(mounts: Sequence[Mount], more: Sequence[Mount]) -> list[Mount]:
    present = {mount.target for mount in mounts}
    return [*mounts, *(mount for mount in more if mount.target not in present)]
