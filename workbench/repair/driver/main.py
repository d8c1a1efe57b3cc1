"""Serves edits as they come in; see the package."""

# pathlib is slower, and this runs once an edit.
# ruff: noqa: PTH110, PTH118, PTH123
from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from .child import await_child, fork_quiet, in_child, leave
from .observing import observe
from .running import Job, limit_memory, preload, prepare, pytest_run, python_run, shell_run

POLL_S = 0.01


class Server:
    """Takes edits from one file, writes them into the tree one after the other, and answers in
    another file.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._deadline = time.monotonic() + job["seconds"]
        self._results = open(job["results"], "w", buffering=1)  # noqa: SIM115  open as long as the process lives

    def edits(self) -> Iterator[dict[str, Any]]:
        """The tree holds the edit while the loop's body runs; the other side ends the file with null."""
        pending = ""
        with open(self._job["edits"]) as file:
            while time.monotonic() < self._deadline and not os.path.exists(self._job["stop"]):
                pending += file.readline()
                if not pending.endswith("\n"):
                    time.sleep(POLL_S)
                    continue
                edit = json.loads(pending)
                pending = ""
                if edit is None:
                    return
                yield from self._applied(edit)

    def answer(self, edit: dict[str, Any], code: int | None) -> None:
        self._results.write(json.dumps({"id": edit["id"], "passed": code == 0}) + "\n")

    def _applied(self, edit: dict[str, Any]) -> Iterator[dict[str, Any]]:
        path = os.path.join(self._job["tree"], edit["path"])
        with open(path, "rb") as file:
            original = file.read()
        changed = original
        for start, end, text in sorted(edit["splices"], reverse=True):
            changed = changed[:start] + text.encode() + changed[end:]
        _write(path, changed)
        try:
            yield edit
        finally:
            _write(path, original)


class PytestServer:
    """pytest plugin: a session that is set up once and forked for every edit before it collects anything.

    In a fork what failed before runs first, and the first failure ends it at once. A test that uses up
    its processor time is killed by the kernel: the signal has no handler, so that a loop inside a C
    function ends as well.
    """

    def __init__(self, job: Job, server: Server) -> None:
        self._job, self._server = job, server
        self._rank = {name: number for number, name in enumerate(job["failing"])}
        self.is_child = False

    def pytest_collection(self, session: Any) -> None:
        gc.collect()
        gc.freeze()  # a collection in a fork would copy every page of what was loaded
        # Kept in an attribute: in a fork a generator that nobody holds would end, and with it take the
        # edit back.
        self._edits = self._server.edits()
        for edit in self._edits:
            pid = fork_quiet(os.devnull)
            if pid == 0:
                self.is_child = True
                limit_memory(self._job)
                return
            self._server.answer(edit, await_child(pid, self._job["timeout"]))
        os._exit(0)

    def pytest_collection_modifyitems(self, items: Any) -> None:
        items.sort(key=lambda item: self._rank.get(item.nodeid, len(self._rank)))

    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._job["test_timeout"])

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and self.is_child:
            os._exit(1)


def serve(job: Job) -> None:
    """Try the edits in order; one result line each."""
    preload(job)
    server = Server(job)
    if job["kind"] == "pytest":
        prepare(job)
        plugin = PytestServer(job, server)
        leave(pytest_run(job, plugin, ["-x", "-q", "-s", "--tb=no", "--no-header", "--assert=plain"]))
    gc.freeze()
    for edit in server.edits():
        code, _ = in_child(lambda: _try_once(job), os.devnull, job["timeout"])
        server.answer(edit, code)


def _try_once(job: Job) -> int:
    if job["kind"] == "shell":
        return shell_run(job)
    prepare(job)
    limit_memory(job)
    signal.setitimer(signal.ITIMER_PROF, job["test_timeout"])
    return python_run(job)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def main() -> None:
    with open(sys.argv[1]) as stored:
        job = json.load(stored)
    sys.argv[:] = [sys.argv[0]]
    if job["mode"] == "observe":
        found = observe(job)
        with open(job["results"], "w") as results:
            json.dump(found, results)
    else:
        serve(job)
