"""One file per step, each `def step(run) -> outcome`. No step names, imports or knows another."""

from collections.abc import Callable, Mapping

from healing.models import HealRun
from healing.outcomes import Outcome
from healing.phases import TERMINAL, Phase
from healing.steps import (
    diagnose,
    expire,
    known_pattern,
    learn,
    remediate,
    repair,
    reproduce,
    roll_out,
    triage,
    verify,
)

Step = Callable[[HealRun], Outcome]


STEPS: Mapping[Phase, Step] = {
    Phase.QUEUED: triage.step,
    Phase.TRIAGING: known_pattern.step,
    Phase.DIAGNOSING: diagnose.step,
    Phase.REMEDIATING: remediate.step,
    Phase.REPRODUCING: reproduce.step,
    Phase.REPAIRING: repair.step,
    Phase.VERIFYING: verify.step,
    Phase.ROLLING_OUT: roll_out.step,
    Phase.NEEDS_INPUT: expire.step,
    Phase.AWAITING_OWNER: expire.step,
    **dict.fromkeys(TERMINAL, learn.step),
}
