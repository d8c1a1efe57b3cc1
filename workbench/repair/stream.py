"""Edits on their way to the driver inside a sandbox, and its answers on their way back: two files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from workbench.repair.model import Edit
from workbench.sandbox import SandboxError


class EditStream:
    """Edits go in, answers come out, while a sandbox works through them in a thread of its own."""

    def __init__(self, workdir: Path, inside: Path, run: Callable[[], object]) -> None:
        self._workdir = workdir
        self._inside = inside
        self._queue = (self._inside / "edits.jsonl").open("w", buffering=1)
        self._sent = 0
        self._read = 0
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._running = self._executor.submit(run)

    @property
    def waiting(self) -> int:
        """How many edits were put in and not answered."""
        return self._sent - self._read

    def put(self, number: int, edit: Edit) -> None:
        splices = [(edit.start, edit.end, edit.text), *edit.also]
        self._queue.write(json.dumps({"id": number, "path": edit.path, "splices": splices}) + "\n")
        self._sent += 1

    def answers(self) -> list[tuple[int, bool]]:
        """(number, passed) that came since the last time. Raises SandboxError when the sandbox failed.

        Lines that are not well-formed are skipped: untrusted code runs beside the one that writes them.
        """
        text = read_regular(self._inside / "results")
        lines = text[: text.rfind("\n") + 1].splitlines()
        fresh, self._read = lines[self._read :], max(self._read, len(lines))
        if self._running.done():
            self._running.result()
        return list(_well_formed(fresh))

    @property
    def ended(self) -> bool:
        return self._running.done()

    def close(self) -> None:
        """Stop at once and clean up."""
        with contextlib.suppress(OSError):
            (self._inside / "stop").touch()
            self._queue.write("null\n")
        self._queue.close()
        with contextlib.suppress(SandboxError):
            self._running.result()
        self._executor.shutdown()
        shutil.rmtree(self._workdir, ignore_errors=True)


def _well_formed(lines: Iterable[str]) -> Iterator[tuple[int, bool]]:
    for line in lines:
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict) and isinstance(answer.get("id"), int):
                yield answer["id"], answer.get("passed") is True


def read_regular(path: Path, limit: int = 50_000_000) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit).decode(errors="replace")
