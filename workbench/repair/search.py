"""The search: observe, localise, try edits best first, and prove the best survivor with the real check."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from workbench.repair.command import CommandCheck, Observation
from workbench.repair.localise import Suspects, editable_files, frames_in
from workbench.repair.model import Attempt, Check, CheckResult, Edit, Hints, RepairResult, diff_text
from workbench.repair.program import Program, Unreadable, left_out
from workbench.repair.python_edits import edits_propose
from workbench.repair.ranking import EditFilter, edits_ranked, survivor_order
from workbench.repair.stream import EditStream
from workbench.sandbox import SandboxError
from workbench.workspace import tree_collect, tree_copy

AHEAD = 60  # edits that wait at a worker: enough to keep it busy, few enough to stop soon
POLL_S = 0.02
HANG_S = 6.0  # a command with a test that hung once is given up after so long
SETTLE_S = 1.0  # after the first survivor: how long better-ranked edits that still run are waited for


@dataclass
class _Search:
    """What one search knows and has done so far."""

    tree: Path
    hints: Hints
    scratch: Path
    deadline: float
    contents: dict[str, bytes]
    started: float = field(default_factory=time.monotonic)
    attempts: list[Attempt] = field(default_factory=list)
    survivors: list[Edit] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  # file -> why no edit of it was proposed

    @property
    def time_left(self) -> float:
        return self.deadline - time.monotonic()

    def note(self, edit: Edit, passed: bool) -> None:
        self.attempts.append(Attempt(edit.template, edit.path, edit.line, passed))
        if passed:
            self.survivors.append(edit)

    def not_fixed(self, message: str) -> RepairResult:
        return RepairResult(
            "not_fixed",
            tried=len(self.attempts),
            seconds=time.monotonic() - self.started,
            survivors=len(self.survivors),
            attempts=self.attempts,
            message="; ".join([message, *left_out(self.skipped)]),
        )

    def fixed(self, edit: Edit) -> RepairResult:
        before = self.contents[edit.path]
        changes = {edit.path: edit.apply(before)}
        return RepairResult(
            "fixed",
            changes=changes,
            diff=diff_text({edit.path: before}, changes),
            template=edit.template,
            tried=len(self.attempts),
            seconds=time.monotonic() - self.started,
            survivors=len(self.survivors),
            attempts=self.attempts,
            message="; ".join(left_out(self.skipped)),
        )


class _FailureKnown(Exception):
    """Ends the first run of a command that hangs, once its tests were seen to fail."""


def repair_search(
    tree: Path,
    check: Check,
    *,
    hints: Hints | None = None,
    budget_s: float = 120.0,
    workers: int = 2,
    scratch: Path,
) -> RepairResult:
    """Find an edit of the tree that makes the check pass. The tree stays as it is.

    A CommandCheck is searched in one interpreter per worker; any other check is called on a copy of the
    tree for every edit, so its hints have to be good. Status is "error" (with a message) when the check
    passes already, no file may be changed, or the sandbox fails; "not_fixed" when time or ideas ran out.
    """
    started = time.monotonic()
    hints = hints or Hints()
    if budget_s <= 0 or workers < 1:
        raise ValueError("a repair needs a budget above 0 seconds and at least one worker")
    files = tree_collect(tree)
    words = check.command.text.split() if isinstance(check, CommandCheck) else ()
    editable = editable_files(files, hints.files, words)
    if not editable:
        return RepairResult("error", message=f"no file that may be changed matches {', '.join(hints.files)}")
    contents = {path: files[path] for path in editable}
    search = _Search(tree, hints, scratch, started + budget_s, contents, started)
    try:
        base, seen = _first_look(search, check)
        if base.passed:
            return RepairResult("error", message="the check passes already: there is nothing to repair")
        if base.missing:
            return RepairResult("error", message=f"the command can't be run: {base.missing}")
        if search.time_left <= 0:
            return search.not_fixed(f"the command did not end within the budget of {budget_s:g} s")
        candidates = _candidates(search, base, seen)
        if search.time_left <= 0:
            return search.not_fixed("the budget is used up")
        if isinstance(check, CommandCheck) and seen is not None:
            return _search_command(search, check, seen, candidates, workers)
        return _search_check(search, check, candidates, workers)
    except SandboxError as failure:
        return RepairResult("error", seconds=time.monotonic() - started, message=str(failure))


def _first_look(search: _Search, check: Check) -> tuple[CheckResult, Observation | None]:
    """The check on the unchanged tree, and beside it what its tests do and run.

    Both end with the budget at the latest; the observation is None when there was no time for it.
    """
    tree = search.tree
    if not isinstance(check, CommandCheck):
        return check(tree), None
    known, seconds = Event(), search.time_left
    check.bound(seconds)

    def stop_when_known() -> None:
        if known.is_set():
            raise _FailureKnown

    pool = ThreadPoolExecutor(max_workers=2)
    base, observing = pool.submit(check, tree, stop_when_known), pool.submit(check.observe, tree, seconds)
    pool.shutdown(wait=False)
    try:
        seen = observing.result()
    except SandboxError:
        result = base.result()
        if not result.passed and not result.missing and search.time_left > 0:
            raise
        return result, None
    patience = 0.0 if seen.shows_failure else HANG_S if seen.failing else None
    try:
        result = base.result(timeout=patience)
    except TimeoutError:
        # The tests fail or hang, so the command can't pass: its run ends itself at its next heartbeat.
        known.set()
        result = CheckResult(False, "")
    check.expect(seen)
    return result, seen


def _candidates(search: _Search, base: CheckResult, seen: Observation | None) -> Iterator[Edit]:
    """All edits, best first, each meaning only once."""
    output = base.output + (seen.output if seen else "")
    suspects = Suspects(search.hints, frames_in(output, list(search.contents)), seen)
    programs: dict[str, Program] = {}
    edits: list[Edit] = []
    for path, content in search.contents.items():
        if search.time_left <= 0:
            break
        try:
            program = Program(content)
            suspicion = suspects.of_file(path, program.plain)
            edits.extend(list(edits_propose(path, program.plain, search.hints, suspicion)))
            programs[path] = program
        except (Unreadable, RecursionError) as failure:
            search.skipped[path] = str(failure) if isinstance(failure, Unreadable) else "nested too deeply"
    fresh = EditFilter({path: program.plain for path, program in programs.items()})
    return (programs[edit.path].placed(edit) for edit in fresh.pass_on(edits_ranked(edits)))


def _search_command(
    search: _Search, check: CommandCheck, seen: Observation, candidates: Iterator[Edit], workers: int
) -> RepairResult:
    seconds = search.time_left
    streams = [check.stream(search.tree, seen, seconds=seconds) for _ in range(workers)]
    numbered = enumerate(candidates)
    asked: dict[int, Edit] = {}
    open_numbers: set[int] = set()
    refuted: set[int] = set()
    exhausted = False
    try:
        while search.time_left > 0 and not all(stream.ended for stream in streams):
            exhausted = _feed(streams, numbered, asked, open_numbers) or exhausted
            passed = _take(search, streams, asked, open_numbers)
            if passed:
                passed |= _settle(search, streams, asked, open_numbers, min(passed))
                for number in sorted(passed - refuted, key=lambda number: survivor_order(asked[number])):
                    if _confirmed(search, check, asked[number]):
                        return search.fixed(asked[number])
                    refuted.add(number)
            if exhausted and not open_numbers:
                return search.not_fixed("every edit of the catalogue was tried")
            time.sleep(POLL_S)
    finally:
        for stream in streams:
            stream.close()
    return search.not_fixed("the budget is used up")


def _feed(
    streams: list[EditStream],
    numbered: Iterator[tuple[int, Edit]],
    asked: dict[int, Edit],
    open_numbers: set[int],
) -> bool:
    """Hand out edits in turn until every worker has enough; says whether there are no more."""
    while min(stream.waiting for stream in streams) < AHEAD:
        entry = next(numbered, None)
        if entry is None:
            return True
        number, edit = entry
        asked[number] = edit
        open_numbers.add(number)
        min(streams, key=lambda stream: stream.waiting).put(number, edit)
    return False


def _take(
    search: _Search, streams: list[EditStream], asked: dict[int, Edit], open_numbers: set[int]
) -> set[int]:
    """Note the answers that came; the numbers that passed."""
    passed: set[int] = set()
    for stream in streams:
        for number, good in stream.answers():
            if number in open_numbers:
                open_numbers.discard(number)
                search.note(asked[number], good)
                if good:
                    passed.add(number)
    return passed


def _settle(
    search: _Search,
    streams: list[EditStream],
    asked: dict[int, Edit],
    open_numbers: set[int],
    best: int,
) -> set[int]:
    """Wait a little for edits that rank before the first survivor: they would be the better fix."""
    passed: set[int] = set()
    until = time.monotonic() + SETTLE_S
    while any(number < best for number in open_numbers) and time.monotonic() < until:
        passed |= _take(search, streams, asked, open_numbers)
        time.sleep(POLL_S)
    return passed


def _confirmed(search: _Search, check: Check, edit: Edit) -> bool:
    """Whether the real check passes on a fresh copy of the tree with only this edit."""
    copy = _changed_copy(search, edit)
    try:
        return check(copy).passed
    finally:
        shutil.rmtree(copy, ignore_errors=True)


_copies = itertools.count(1)


def _changed_copy(search: _Search, edit: Edit) -> Path:
    copy = search.scratch / f"edit-{id(search):x}-{next(_copies)}"
    tree_copy(search.tree, copy)
    (copy / edit.path).write_bytes(edit.apply(search.contents[edit.path]))
    return copy


def _search_check(search: _Search, check: Check, candidates: Iterator[Edit], workers: int) -> RepairResult:
    """The same with a check that knows nothing but whole trees."""
    running: dict[Future[bool], Edit] = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        while True:
            while len(running) < workers and search.time_left > 0 and not search.survivors:
                edit = next(candidates, None)
                if edit is None:
                    break
                running[pool.submit(_confirmed, search, check, edit)] = edit
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                search.note(running.pop(future), future.result())
    if search.survivors:
        return search.fixed(min(search.survivors, key=survivor_order))
    ran_out = search.time_left <= 0
    return search.not_fixed("the budget is used up" if ran_out else "every edit of the catalogue was tried")
