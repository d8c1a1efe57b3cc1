"""Every way out of the sandbox that we know is tried, and nothing is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.escape_probes import (
    ESCAPE_PROBES,
    EscapeBait,
    EscapeProbe,
    escape_bait,
    probe_run,
    probe_run_unconfined,
)
from workbench.sandbox import Sandbox, sandbox_open

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return sandbox_open()


@pytest.fixture(scope="module")
def bait() -> Iterator[EscapeBait]:
    with escape_bait() as laid_out:
        yield laid_out


@pytest.mark.parametrize("probe", ESCAPE_PROBES, ids=lambda probe: probe.name)
def test_it_blocks(probe: EscapeProbe, sandbox: Sandbox, bait: EscapeBait) -> None:
    assert probe_run(sandbox, probe, bait) == ""


def test_there_are_at_least_forty_different_probes() -> None:
    assert len({probe.program for probe in ESCAPE_PROBES}) >= 40
    assert len({probe.name for probe in ESCAPE_PROBES}) == len(ESCAPE_PROBES)


ALLOWED_ON_THE_HOST = [
    "host loopback service",
    "abstract unix socket of the host",
    "file of the host",
    "processes of the host",
    "sysfs",
]


@pytest.mark.parametrize("name", ALLOWED_ON_THE_HOST)
def test_a_probe_notices_when_nothing_blocks_it(name: str, bait: EscapeBait, tmp_path: Path) -> None:
    probe = next(probe for probe in ESCAPE_PROBES if probe.name == name)
    assert probe_run_unconfined(probe, bait, tmp_path)


def test_no_control_group_stays_behind(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.run(["/usr/bin/true"], workdir=tmp_path)
    left = [
        path for path, folders, _ in os.walk("/sys/fs/cgroup") if f"kriptik-sandbox-{os.getpid()}-" in path
    ]
    assert left == []
