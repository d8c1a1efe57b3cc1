"""What the bench is given and what it gives back, and which of it is refused before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from workbench.scenario.errors import BenchRefused
from workbench.scenario.model import Scenario
from workbench.scenario.wire import Verdict
from workbench.screen import ScreenFacts

MAX_RUNS = 100
MAX_ACCOUNT_BYTES = 256 * 1024 * 1024
MAX_ACCOUNT_FILES = 1000

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


def bench_check(scenario: Scenario, arms: Sequence[Arm], host: HostSpec) -> None:
    """Raises BenchRefused, saying what to change."""
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
