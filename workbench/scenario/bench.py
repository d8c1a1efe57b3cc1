"""Plays one scenario on several trees of the host's code, each in a sandbox of its own, and counts how
it went.
"""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from workbench.sandbox import WORK, Limits, Mount, Result, Sandbox, python_env, python_mounts
from workbench.scenario.errors import BenchRefused
from workbench.scenario.model import Scenario
from workbench.scenario.results import Unreadable, record_read, screenshot_read
from workbench.scenario.wire import (
    ACCOUNT,
    OUT,
    SPEC_FILE,
    STATE,
    TREE,
    BenchSpec,
    HostStart,
    ServiceStart,
    Verdict,
)
from workbench.screen import ScreenFacts

CHROMIUM = "/usr/bin/chromium"
# Most of a run is waiting (a page that stays silent, a service that says "later"), so contexts share the
# processor.
PARALLEL = 3
MAX_RUNS = 100
MAX_ACCOUNT_BYTES = 256 * 1024 * 1024
MAX_ACCOUNT_FILES = 1000

_PROJECT = Path(__file__).resolve().parents[2]
_RUNNER, _HOST_PACKAGES = Path("/opt/kriptik/runner"), Path("/opt/kriptik/host")
_FILE_NAME = re.compile(r"^[^\x00-\x1f\x7f\\]{1,200}$")
_ENV_NAME = re.compile(r"^[A-Z][A-Z0-9_]{0,63}$")


@dataclass(frozen=True)
class AccountFiles:
    """An account clone: relative file names below the host's data directory. `user` None: nobody logs in."""

    user: str | None
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class ServiceSpec:
    """`env` names the variable that holds the service's base URL; `start` runs its stand-in on {port}."""

    env: str
    start: str


@dataclass(frozen=True)
class HostSpec:
    """How to run the host, from its manifest. `env` is added to what section 3 of the host contract names."""

    start: str
    health: str
    data_env: str
    services: Mapping[str, ServiceSpec] = field(default_factory=dict)
    setup: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    name: str
    tree: Path
    account: AccountFiles
    runs: int


@dataclass(frozen=True)
class RunResult:
    """passed: the positive outcome appeared and the failure did not; failed: the failure shows; error:
    neither.

    Texts and picture come from the page and the host's log: show them, never act on them.
    """

    verdict: Verdict
    reason: str
    seconds: float
    console_errors: list[str] = field(default_factory=list)
    server_errors: list[str] = field(default_factory=list)
    screenshot: bytes | None = None
    screen: ScreenFacts | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ArmResult:
    name: str
    runs: list[RunResult]

    def count(self, verdict: Verdict) -> int:
        return sum(run.verdict == verdict for run in self.runs)


@dataclass(frozen=True)
class BenchResult:
    arms: list[ArmResult]
    seconds: float = 0.0

    def arm(self, name: str) -> ArmResult:
        return next(arm for arm in self.arms if arm.name == name)


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
    _check(scenario, arms, host)
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
        try:
            results = [job.result() for job in jobs]
        except BaseException:
            beat.stop()
            raise
    return BenchResult(arms=[arm for arm, _ in results], seconds=max(seconds for _, seconds in results))


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
                raise BenchRefused("the bench was stopped because its other arm failed")
            if self._beat is not None:
                try:
                    self._beat()
                except BaseException:
                    self._stopped = True
                    raise

    def stop(self) -> None:
        self._stopped = True


def _arm_run(
    sandbox: Sandbox, scenario: Scenario, arm: Arm, host: HostSpec, beat: _Heartbeat, work: Path
) -> tuple[ArmResult, float]:
    _lay_out(work, scenario, arm, host)
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
    runs = [_run_result(work, index, result) for index in range(arm.runs)]
    shutil.rmtree(work, ignore_errors=True)
    return ArmResult(name=arm.name, runs=runs), result.seconds


def _lay_out(work: Path, scenario: Scenario, arm: Arm, host: HostSpec) -> None:
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


def _run_result(work: Path, index: int, result: Result) -> RunResult:
    try:
        record = record_read(work, index)
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
        screenshot=screenshot_read(work, index),
        screen=record.screen,
        notes=list(record.notes),
    )


def _check(scenario: Scenario, arms: Sequence[Arm], host: HostSpec) -> None:
    if not arms:
        raise BenchRefused("the bench needs at least one arm")
    unknown = sorted({fault.service for fault in scenario.faults} - set(host.services))
    if unknown:
        raise BenchRefused(
            f"the scenario plays faults of {', '.join(unknown)}: name it in [services] of kriptik.toml"
        )
    names = [host.data_env, *host.env, *(service.env for service in host.services.values())]
    wrong = [name for name in names if not _ENV_NAME.match(name)]
    if wrong:
        raise BenchRefused(
            f"{wrong[0][:80]!r} is no name of an environment variable: use capitals, digits and _"
        )
    for arm in arms:
        if not 1 <= arm.runs <= MAX_RUNS:
            raise BenchRefused(f"arm {arm.name} wants {arm.runs} runs; 1 to {MAX_RUNS} are possible")
        if not arm.tree.is_dir():
            raise BenchRefused(f"arm {arm.name} has no tree: {arm.tree} is no directory")
        _check_account(arm.account)


def _check_account(account: AccountFiles) -> None:
    """The files come from the host's clone call; a name must not lead out of the account's directory."""
    if len(account.files) > MAX_ACCOUNT_FILES:
        raise BenchRefused(
            f"the account clone has {len(account.files)} files; at most {MAX_ACCOUNT_FILES} are laid out"
        )
    if sum(map(len, account.files.values())) > MAX_ACCOUNT_BYTES:
        raise BenchRefused(f"the account clone is larger than {MAX_ACCOUNT_BYTES >> 20} MiB")
    for name in account.files:
        parts = name.split("/")
        if not _FILE_NAME.match(name) or PurePosixPath(name).is_absolute() or {"", ".", ".."} & set(parts):
            raise BenchRefused(
                f"the account clone has a file name that is no plain relative path: {name[:80]!r}"
            )
