"""Where the fault may lie: stack frames, hints of the caller, and which lines failing and passing
tests run.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import sqrt
from pathlib import PurePosixPath

from workbench.repair.command import Observation
from workbench.repair.model import Hints

TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
PYTHON_FRAME = re.compile(r'File "([^"\n]+\.py)", line (\d+)')
PYTEST_FRAME = re.compile(r"^([\w./+-]+\.py):(\d+): ", re.MULTILINE)
INSIDE = ("/work/tree/", "/work/")

FRAME_WINDOW = 12  # lines around a stack frame that may be of the same function
ELSEWHERE = 0.05  # a line that nothing points to, when nothing was traced
IMPORT_ONLY = 0.3  # a line that runs at import, before any test


def editable_files(
    paths: Iterable[str], globs: Sequence[str], command_words: Sequence[str] = ()
) -> list[str]:
    """The files that a repair may change: those the globs match, but no test and nothing that the
    command names.
    """
    named = {str(PurePosixPath(word.split("::")[0])) for word in command_words}
    return [
        path
        for path in sorted(paths)
        if any(_matches(path, pattern) for pattern in globs)
        and not TEST_FILE.search(path)
        and path not in named
    ]


def frames_in(output: str, files: Sequence[str]) -> list[tuple[str, int]]:
    """(path, line) of the stack frames that lie in one of the files, innermost last."""
    known = set(files)
    found = []
    for pattern in (PYTHON_FRAME, PYTEST_FRAME):
        for match in pattern.finditer(output):
            path = match[1]
            for prefix in INSIDE:
                path = path.removeprefix(prefix)
            path = str(PurePosixPath(path))
            if path in known:
                found.append((path, int(match[2])))
    return found


class Suspects:
    """How suspicious each line is, from 0 (surely not the fault) to about 1.5."""

    def __init__(self, hints: Hints, frames: Sequence[tuple[str, int]], seen: Observation | None) -> None:
        self._hints = hints
        self._frames = [*hints.frames, *frames]
        self._seen = seen
        self._spectrum = spectrum(seen) if seen else {}
        self._traced = {path for path, _ in seen.lines} if seen else set()

    def of_file(self, path: str, content: bytes) -> Callable[[int, int], float]:
        """The judge of one file's lines: suspicion of the lines first to last."""
        near = {line for frame_path, line in self._frames if frame_path == path}
        functions = _lines_of_functions(content, self._hints.functions)

        def suspicion(first: int, last: int) -> float:
            lines = range(first, last + 1)
            if self._traced:
                value = max((self._spectrum.get((path, line), 0.0) for line in lines), default=0.0)
                factor = 1.3 if any(line in near for line in lines) else 1.0
                return value * factor
            if any(line in near for line in lines):
                return 1.0
            if any(abs(line - frame) <= FRAME_WINDOW for line in (first, last) for frame in near):
                return 0.4
            if any(line in functions for line in lines):
                return 0.6
            return ELSEWHERE if near or not self._frames else ELSEWHERE / 2

        return suspicion


def spectrum(seen: Observation) -> Mapping[tuple[str, int], float]:
    """Ochiai's measure, kept off zero for every line that failing tests run: any of these can be the one."""
    failing = [test["lines"] for test in seen.tests if not test["passed"]]
    passing = [test["lines"] for test in seen.tests if test["passed"]]
    if not any(failing):
        return dict.fromkeys(seen.lines, 1.0)
    in_tests = set().union(*failing, *passing)
    values = {place: IMPORT_ONLY for place in seen.lines if place not in in_tests}
    for place in set().union(*failing):
        failed = sum(place in lines for lines in failing)
        passed = sum(place in lines for lines in passing)
        values[place] = 0.3 + 0.7 * failed / sqrt(len(failing) * (failed + passed))
    return values


def _matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, pattern.replace("**/", ""))


def _lines_of_functions(content: bytes, names: Sequence[str]) -> set[int]:
    """Lines of the functions with one of these names, found by indentation."""
    lines = content.decode(errors="replace").splitlines()
    found: set[int] = set()
    for number, line in enumerate(lines, 1):
        match = re.match(r"(\s*)(?:async\s+)?def\s+(\w+)", line)
        if match and match[2] in {name.rpartition(".")[2] for name in names}:
            indent = len(match[1])
            found.add(number)
            for later, text in enumerate(lines[number:], number + 1):
                if text.strip() and len(text) - len(text.lstrip()) <= indent:
                    break
                found.add(later)
    return found
