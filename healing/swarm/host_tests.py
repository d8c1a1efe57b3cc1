"""The host's own tests, on base and on the fix, in sandboxes of their own."""

import re
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from healing import limits
from healing.outcomes import Verdict
from healing.swarm.shapes import Check
from workbench.sandbox import Limits, Mount, Sandbox, python_env, python_mounts

# A test id may hold blanks (in its parameters); what follows " - " is the reason.
_STATUS = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) (\S.*?)(?: - .*)?$", re.M)
_HOSTKIT = Path("/opt/kriptik/host/hostkit")
_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class SuiteRun:
    """`statuses`: test id -> PASSED, FAILED ...; empty when the runner isn't pytest."""

    exit_code: int | None
    statuses: Mapping[str, str] = field(default_factory=dict)
    tail: str = ""

    @property
    def all_green(self) -> bool:
        return self.exit_code == 0 and set(self.statuses.values()) == {"PASSED"}

    def having(self, status: str) -> set[str]:
        return {name for name, s in self.statuses.items() if s == status}


def host_tests(box: Sandbox, command: str, base: Path, fix: Path, heartbeat: Callable[[], None]) -> Check:
    """Nothing newly failing, nothing skipped, nothing gone. No command: there is nothing to hold."""
    if not command.strip():
        return Check("host tests", Verdict.PASSED, "the manifest names no test command")
    started = time.monotonic()
    after = _run(box, command, fix, heartbeat)
    if after.all_green:
        # Base can't do better, so only what it has is asked of it, which is quick.
        before = _run(box, command, base, heartbeat, collect_only=True)
    else:
        before = _run(box, command, base, heartbeat)
    verdict, reason = compare(before, after)
    return Check("host tests", verdict, reason, time.monotonic() - started)


def compare(before: SuiteRun, after: SuiteRun) -> tuple[Verdict, str]:
    """The verdict on two runs of the same tests. Pure."""
    if before.exit_code is None or after.exit_code is None:
        return Verdict.ERROR, f"the tests did not end: {(after.tail or before.tail)[-200:]}"
    if not before.statuses:
        if before.exit_code != 0:
            return Verdict.INCONCLUSIVE, "the tests fail on the base already and don't say which"
        good = after.exit_code == 0
        return (Verdict.PASSED if good else Verdict.FAILED), f"exit code {after.exit_code}"
    worked = before.having("PASSED")
    broken = worked & (after.having("FAILED") | after.having("ERROR"))
    if broken:
        return Verdict.FAILED, f"{len(broken)} test(s) newly fail, such as {min(broken)}"
    if hidden := worked & (after.having("SKIPPED") | after.having("XFAIL")):
        return Verdict.FAILED, f"{len(hidden)} test(s) are newly skipped, such as {min(hidden)}"
    if gone := worked - after.statuses.keys():
        return Verdict.FAILED, f"{len(gone)} test(s) are gone, such as {min(gone)}"
    if after.exit_code != 0 and before.exit_code == 0:
        return Verdict.FAILED, f"the tests end with {after.exit_code}"
    return Verdict.PASSED, f"{len(worked)} tests pass as before"


def _run(
    box: Sandbox, command: str, tree: Path, heartbeat: Callable[[], None], *, collect_only: bool = False
) -> SuiteRun:
    argv = shlex.split(command)
    is_pytest = "pytest" in argv or argv[0].endswith("pytest")
    if is_pytest:
        argv += ["-p", "no:cacheprovider", *(["--collect-only", *_as_ids(argv)] if collect_only else ["-rA"])]
    result = box.run(
        argv,
        workdir=tree,
        mounts=[*python_mounts(), Mount(_PROJECT / "hostkit", _HOSTKIT)],
        env={**python_env(), "PYTHONPATH": str(_HOSTKIT.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        limits=Limits(wall_s=limits.HOST_TEST_S, cpu_s=limits.HOST_TEST_S),
        heartbeat=heartbeat,
    )
    code = None if result.timed_out else result.exit_code
    found = statuses_of(result.stdout, collect_only=collect_only) if is_pytest else {}
    return SuiteRun(code, found, (result.stderr or result.stdout)[-500:])


def _as_ids(argv: list[str]) -> list[str]:
    """The flag that brings pytest's verbosity to -1, where a collection prints one id a line."""
    flags = [a.lstrip("-") for a in argv if re.fullmatch(r"-(q+|v+)|--quiet|--verbose", a)]
    loud = sum(len(f) if f[0] == "v" else -len(f) for f in (f[0] if len(f) > 5 else f for f in flags))
    step = -1 - loud
    return [f"-{('v' if step > 0 else 'q') * abs(step)}"] if step else []


def statuses_of(output: str, *, collect_only: bool = False) -> dict[str, str]:
    """pytest's short summary by test id; after a collection every test counts as passing. Pure.

    A skip is summarised by place, not by test: its place stands for it.
    """
    if collect_only:
        return dict.fromkeys(re.findall(r"^\S+::\S.*$", output, re.M), "PASSED")
    return {name: status for status, name in _STATUS.findall(output)}
