"""The first runs, on the unchanged tree: outcomes, times and the lines that run."""

# pathlib is slower, and this runs once an edit.
# ruff: noqa: PTH100, PTH108, PTH118, PTH123
from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

from .child import in_child
from .running import Job, prepare, pytest_run, python_run, shell_run

HUNG_TESTS = 2  # after so many tests that don't end the first run has seen enough
OUTPUT_BYTES = 20_000


class TestTimeout(BaseException):
    """Not an Exception: code under test may catch those."""


class Lines:
    """Collects the lines of the project that run."""

    def __init__(self, tree: str) -> None:
        self._prefix = tree.rstrip("/") + "/"
        self._current: set[tuple[str, int]] = set()

    def start(self) -> None:
        sys.settrace(self._trace)
        threading.settrace(self._trace)

    def take(self) -> list[list[Any]]:
        """[path, line] of what ran since the last time."""
        taken, self._current = self._current, set()
        cut = len(self._prefix)
        return sorted([name[cut:], line] for name, line in taken)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith("/"):
            if name.startswith("<"):
                return None
            name = os.path.abspath(name)
        if not name.startswith(self._prefix):
            return None
        self._current.add((name, frame.f_lineno))

        def local(frame: FrameType, event: str, argument: object) -> Any:
            if event == "line":
                self._current.add((name, frame.f_lineno))
            return local

        return local


class Observer:
    """pytest plugin: outcome, duration and lines of every test."""

    def __init__(self, job: Job, lines: Lines | None) -> None:
        self._job, self._lines = job, lines
        self._hung = 0
        self._entry: dict[str, Any] = {}
        self._started = 0.0
        self.tests: list[dict[str, Any]] = []
        self.imported: list[list[Any]] = []

    def pytest_collection_finish(self, session: Any) -> None:
        if self._lines:
            self.imported = self._lines.take()

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        if self._hung >= HUNG_TESTS:
            item.session.shouldstop = "enough tests hang"
        self._entry = {"id": item.nodeid, "passed": True, "hung": False, "seconds": 0.0, "lines": []}
        self.tests.append(self._entry)
        self._started = time.process_time()
        limit = self._job["test_timeout"] / (2 if self._lines else 1)
        signal.setitimer(signal.ITIMER_PROF, limit, 0.2)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._entry["passed"] = False
            self._entry["hung"] = self._entry["hung"] or TestTimeout.__name__ in str(report.longrepr)
        if report.when == "teardown":
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._entry["seconds"] = time.process_time() - self._started
            self._hung += self._entry["hung"]
            if self._lines:
                self._entry["lines"] = self._lines.take()


def observe(job: Job) -> dict[str, Any]:
    """One run for times and outcomes, one for lines (tracing slows a program down several times).

    pytest is tried without the plugins that happen to be installed, which start several times faster;
    with them when the tests don't fail the same way on their own.
    """
    if job["kind"] == "pytest":
        plain = _observe_in_child({**job, "light": True}, traced=False)
        # 2 is the code of a session that was stopped, as it is when tests hang.
        if plain["code"] in (1, 2) and any(not test["passed"] for test in plain["tests"]):
            job = {**job, "light": True}
        else:
            plain = _observe_in_child(job, traced=False)
    else:
        plain = _observe_in_child(job, traced=False)
    traced = plain if job["kind"] == "shell" else _observe_in_child(job, traced=True)
    return {"plain": plain, "traced": traced, "light": job["light"]}


def _observe_in_child(job: Job, *, traced: bool) -> dict[str, Any]:
    report = os.path.join(job["scratch"], "report.json")
    output = os.path.join(job["scratch"], "output.txt")
    code, seconds = in_child(lambda: _observe_once(job, traced, report), output, job["timeout"])
    entry: dict[str, Any] = {"code": code, "seconds": seconds, "tests": [], "lines": [], "modules": []}
    with contextlib.suppress(OSError, ValueError), open(report) as stored:
        entry.update(json.load(stored))
        os.unlink(report)
    with open(output, errors="replace") as printed:
        entry["output"] = printed.read()[-OUTPUT_BYTES:]
    return entry


def _observe_once(job: Job, traced: bool, report: str) -> int:
    if job["kind"] == "shell":
        return shell_run(job)
    prepare(job)
    signal.signal(signal.SIGPROF, _raise_timeout)
    lines = Lines(job["tree"]) if traced else None
    before = set(sys.modules)
    observer = Observer(job, lines)
    if lines:
        lines.start()
    code = 1
    try:
        if job["kind"] == "pytest":
            code = pytest_run(job, observer, [])
        else:
            signal.setitimer(signal.ITIMER_PROF, job["script_timeout"], 0.2)
            code = python_run(job)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.settrace(None)
        ran = lines.take() if lines else []
        found = {"tests": observer.tests, "lines": observer.imported + ran, "modules": _modules(before, job)}
        with open(report, "w") as stored:
            json.dump(found, stored)
    return code


def _raise_timeout(number: int, frame: FrameType | None) -> None:
    raise TestTimeout


def _modules(before: set[str], job: Job) -> list[str]:
    """Modules imported since then that aren't the project's: they can be loaded ahead."""
    names = []
    for name in sorted(set(sys.modules) - before):
        file = getattr(sys.modules[name], "__file__", None)
        if file and not os.path.abspath(file).startswith(job["tree"]) and "__main__" not in name:
            names.append(name)
    return names
