"""The values of a repair: what is known before, what is tried, what comes out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal["fixed", "not_fixed", "error"]


@dataclass(frozen=True)
class CheckResult:
    """Whether a tree passes, and what the check printed (its stack frames lead the search).

    missing: what the shell said of a command that there is not; empty when it ran.
    """

    passed: bool
    output: str
    missing: str = ""


Check = Callable[[Path], CheckResult]
"""Judges one tree. It may be called from several threads, each time with a tree of its own."""


@dataclass(frozen=True)
class Hints:
    """What the caller knows about where the fault lies; all of it is optional.

    frames: (path, line) of stack frames, innermost last. functions: names of functions. upstream:
    exchanges of the host with its services, {"service", "method", "path", "status", "retry_after"}.
    files: globs of what may change.
    """

    frames: Sequence[tuple[str, int]] = ()
    functions: Sequence[str] = ()
    upstream: Sequence[Mapping[str, Any]] = ()
    files: Sequence[str] = ("**/*.py",)


@dataclass(frozen=True)
class Edit:
    """Bytes start to end of one file replaced by text.

    A higher score is tried earlier. `also` are further replacements in the same file (an import), which
    lie before start and don't overlap.
    """

    path: str
    start: int
    end: int
    text: str
    template: str
    line: int
    score: float
    also: tuple[tuple[int, int, str], ...] = ()

    def apply(self, content: bytes) -> bytes:
        for start, end, text in sorted([(self.start, self.end, self.text), *self.also], reverse=True):
            content = content[:start] + text.encode() + content[end:]
        return content


@dataclass(frozen=True)
class Attempt:
    """One edit that was tried, kept as evidence."""

    template: str
    path: str
    line: int
    passed: bool


@dataclass(frozen=True)
class RepairResult:
    """What a search found. changes: path -> whole new content of each changed file; empty unless fixed."""

    status: Status
    changes: Mapping[str, bytes] = field(default_factory=dict)
    diff: str = ""
    template: str = ""
    tried: int = 0
    seconds: float = 0.0
    survivors: int = 0
    attempts: Sequence[Attempt] = ()
    message: str = ""


def diff_text(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """Unified diff of whole files, as git prints it."""
    parts = []
    for path, content in sorted(after.items()):
        old = before[path].decode(errors="replace").splitlines(keepends=True)
        new = content.decode(errors="replace").splitlines(keepends=True)
        for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"):
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)
