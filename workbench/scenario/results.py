"""Reads a run's record out of a directory that untrusted code could write: regular files, no links,
bounded, parsed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import ValidationError

from workbench.scenario.seals import fingerprint, unsealed
from workbench.scenario.wire import (
    MAX_RECORD_BYTES,
    MAX_SCREENSHOT_BYTES,
    OUT,
    RunRecord,
    record_name,
    screenshot_name,
)


class Unreadable(Exception):
    """There is no record, or something that must not be taken for one."""


def record_read(work: Path, index: int, key: str) -> RunRecord:
    """The record that our runner sealed with `key`. Raises Unreadable."""
    content = _regular_file(work, record_name(index), MAX_RECORD_BYTES)
    if content is None:
        raise Unreadable("no record was written")
    body = unsealed(key, index, content)
    if body is None:
        raise Unreadable("the record was not written by our runner")
    try:
        return RunRecord.model_validate_json(body)
    except ValidationError as error:
        raise Unreadable(f"the record is malformed: {error.error_count()} fields are wrong") from None


def screenshot_read(work: Path, index: int, record: RunRecord) -> bytes | None:
    """The JPEG of at most 600 KiB that the record names, else None."""
    if record.picture is None:
        return None
    content = _regular_file(work, screenshot_name(index), MAX_SCREENSHOT_BYTES)
    if content is None or not content.startswith(b"\xff\xd8\xff"):
        return None
    return content if fingerprint(content) == record.picture else None


def _regular_file(work: Path, name: str, limit: int) -> bytes | None:
    try:
        folder = os.open(work / OUT, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        # NONBLOCK: opening a named pipe that was put here would wait for a writer that never comes.
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    finally:
        os.close(folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit + 1)
    finally:
        os.close(descriptor)
    return content if len(content) <= limit else None
