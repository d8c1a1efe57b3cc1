"""Plays one scenario on several trees of the host's code, each in a sandbox of its own, and counts how
it went.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from workbench.sandbox import WORK, Limits, Mount, Result, Sandbox, python_env, python_mounts
from workbench.scenario.arms import (
    AccountFiles,
    Arm,
    ArmResult,
    BenchResult,
    HostSpec,
    RunResult,
    ServiceSpec,
    bench_check,
)
from workbench.scenario.errors import BenchRefused
from workbench.scenario.model import Scenario
from workbench.scenario.results import Unreadable, record_read, screenshot_read
from workbench.scenario.seals import seal_key
from workbench.scenario.wire import (
    ACCOUNT,
    OUT,
    SPEC_FILE,
    STATE,
    TREE,
    BenchSpec,
    HostStart,
    ServiceStart,
)

__all__ = [
    "AccountFiles",
    "Arm",
    "ArmResult",
    "BenchRefused",
    "BenchResult",
    "HostSpec",
    "RunResult",
    "ServiceSpec",
    "scenario_run",
]

CHROMIUM = "/usr/bin/chromium"
# Most of a run is waiting (a page that stays silent, a service that says "later"), so contexts share the
# processor.
PARALLEL = min(4, max(2, os.cpu_count() or 2))

_PROJECT = Path(__file__).resolve().parents[2]
_RUNNER, _HOST_PACKAGES = Path("/opt/kriptik/runner"), Path("/opt/kriptik/host")


def scenario_run(
    sandbox: Sandbox,
    scenario: Scenario,
    *,
    arms: Sequence[Arm],
    host: HostSpec,
    heartbeat: Callable[[], None] | None = None,
    scratch: Path | None = None,
) -> BenchResult:
    """Play `scenario` arm.runs times on every arm, two arms at a time; a simple run takes 1 to 4 s.

    Raises BenchRefused for arms, accounts or services that can't be, and whatever the sandbox or `heartbeat`
    raises. A host that does not start, a step that can't be done, a runner that dies: verdict "error".
    """
    bench_check(scenario, arms, host)
    if not Path(CHROMIUM).exists():
        raise BenchRefused(f"{CHROMIUM} is missing: apt-get install chromium")
    beat = _Heartbeat(heartbeat)
    with (
        tempfile.TemporaryDirectory(
            prefix="kriptik-bench-", dir=scratch, ignore_cleanup_errors=True
        ) as place,
        ThreadPoolExecutor(max_workers=2) as pool,
    ):
        jobs = [
            pool.submit(_arm_run, sandbox, scenario, arm, host, beat, Path(place) / f"arm-{number}")
            for number, arm in enumerate(arms)
        ]
        for job in jobs:
            job.add_done_callback(beat.stop_if_failed)
    # The pool has ended: both arms are done. What made the first fail counts, not that it stopped the other.
    problems = [problem for problem in (job.exception() for job in jobs) if problem is not None]
    if problems:
        raise next((problem for problem in problems if not isinstance(problem, _Stopped)), problems[0])
    results = [job.result() for job in jobs]
    return BenchResult(arms=[arm for arm, _ in results], seconds=max(seconds for _, seconds in results))


class _Stopped(Exception):
    """This arm was ended because the other one failed."""


class _Heartbeat:
    """One caller's heartbeat for several sandboxes: never called twice at once, and after a failure
    always failing.
    """

    def __init__(self, beat: Callable[[], None] | None) -> None:
        self._beat, self._lock = beat, threading.Lock()
        self._stopped = False

    def __call__(self) -> None:
        with self._lock:
            if self._stopped:
                raise _Stopped("the bench was stopped because its other arm failed")
            if self._beat is not None:
                try:
                    self._beat()
                except BaseException:
                    self._stopped = True
                    raise

    def stop_if_failed(self, job: Future[tuple[ArmResult, float]]) -> None:
        if job.exception() is not None:
            self._stopped = True


def _arm_run(
    sandbox: Sandbox, scenario: Scenario, arm: Arm, host: HostSpec, beat: _Heartbeat, work: Path
) -> tuple[ArmResult, float]:
    key = seal_key()
    _lay_out(work, scenario, arm, host, key)
    env = {
        **python_env(),
        "PYTHONPATH": str(_RUNNER),
        "KRIPTIK_HOST_PYTHONPATH": str(_HOST_PACKAGES),
    }
    result = sandbox.run(
        ["python", "-m", "workbench.scenario.inside", str(WORK)],
        workdir=work,
        mounts=[*python_mounts(), *_code_mounts()],
        env=env,
        limits=_limits(arm.runs, setup=bool(host.setup)),
        heartbeat=beat,
    )
    runs = [_run_result(work, index, result, key) for index in range(arm.runs)]
    shutil.rmtree(work, ignore_errors=True)
    return ArmResult(name=arm.name, runs=runs), result.seconds


def _lay_out(work: Path, scenario: Scenario, arm: Arm, host: HostSpec, key: str) -> None:
    """The arm's work directory: only what the runner needs, written before any untrusted code runs."""
    for folder in (OUT, STATE, ACCOUNT):
        (work / folder).mkdir(parents=True)
    shutil.copytree(arm.tree, work / TREE, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    for name, content in arm.account.files.items():
        target = work / ACCOUNT / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    spec = BenchSpec(
        scenario=scenario,
        host=HostStart(
            start=host.start,
            health=host.health,
            data_env=host.data_env,
            services={
                name: ServiceStart(env=one.env, start=one.start) for name, one in host.services.items()
            },
            setup=host.setup,
            env=dict(host.env),
        ),
        user=arm.account.user,
        runs=arm.runs,
        parallel=min(PARALLEL, arm.runs),
        chromium=CHROMIUM,
        seal=key,
    )
    (work / SPEC_FILE).write_text(spec.model_dump_json())


def _code_mounts() -> list[Mount]:
    """Our runner, and for Python hosts the hostkit package that a host of ours would have installed."""
    mounts = [Mount(_PROJECT / "workbench", _RUNNER / "workbench")]
    if (_PROJECT / "hostkit").is_dir():
        mounts.append(Mount(_PROJECT / "hostkit", _HOST_PACKAGES / "hostkit"))
    return mounts


def _limits(runs: int, *, setup: bool) -> Limits:
    rounds = math.ceil(runs / min(PARALLEL, runs))
    wall = min(1800, 60 + 40 * rounds + (120 if setup else 0))
    # A browser is a hundred threads, and memory it only reserves does not count.
    return Limits(memory_mb=4096, processes=2048, wall_s=wall, cpu_s=wall, open_files=4096)


def _run_result(work: Path, index: int, result: Result, key: str) -> RunResult:
    try:
        record = record_read(work, index, key)
    except Unreadable as problem:
        ended = "ran out of time" if result.timed_out else f"ended with code {result.exit_code}"
        last = result.stderr.strip().splitlines()[-1:] or [""]
        reason = f"{problem}: the sandbox {ended}. {last[0][:300]}".strip()
        return RunResult(verdict="error", reason=reason, seconds=0.0)
    return RunResult(
        verdict=record.verdict,
        reason=record.reason,
        seconds=record.seconds,
        console_errors=list(record.console_errors),
        server_errors=list(record.server_errors),
        screenshot=screenshot_read(work, index, record),
        screen=record.screen,
        notes=list(record.notes),
    )
