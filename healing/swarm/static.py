"""Checks that need no run of their own: syntax, the log of the runs, the screens at the end."""

import ast
import re
from collections.abc import Mapping, Sequence

from healing.outcomes import Verdict
from healing.swarm.shapes import Check
from workbench.scenario.bench import ArmResult
from workbench.screen import screen_verdict

_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+|b_[0-9a-f]+")


def static_checks(changed: Mapping[str, bytes]) -> Check:
    """Whether every changed Python file still compiles."""
    for path, content in changed.items():
        if not path.endswith(".py"):
            continue
        try:
            ast.parse(content)
        except (SyntaxError, ValueError) as error:
            return Check("static checks", Verdict.FAILED, f"{path}: {error}")
    return Check("static checks", Verdict.PASSED, f"{len(changed)} changed file(s) compile")


def runtime_log(base: Sequence[ArmResult], fixed: Sequence[ArmResult]) -> Check:
    """No error in the host's log or on the page that base did not show too."""
    known = {
        shape(line) for arm in base for run in arm.runs for line in (*run.server_errors, *run.console_errors)
    }
    for arm in fixed:
        for run in arm.runs:
            for line in (*run.server_errors, *run.console_errors):
                if shape(line) not in known:
                    return Check("runtime log", Verdict.FAILED, f"a new error: {line[:200]}")
    return Check("runtime log", Verdict.PASSED, "no new error in the host's log or on the page")


def visual(base: ArmResult | None, fixed: ArmResult) -> Check:
    """The local reader's verdict on the last screen."""
    broken = next((r.screen for r in base.runs if r.screen is not None), None) if base else None
    screen = next((r.screen for r in fixed.runs if r.screen is not None), None)
    found = screen_verdict(broken, screen)
    return Check("visual", Verdict(found.verdict), "; ".join(found.reasons)[:300])


def shape(line: str) -> str:
    """A log line without what differs from run to run."""
    return _NUMBERS.sub("#", line)[:200]
