"""What healing refuses, and the ways in which work ends early."""

from core.errors import KriptikError, Permanent, Refused, Retriable


class ManifestError(KriptikError):
    """kriptik.toml can't be used. `data["problems"]`: one line each, naming the key and the remedy."""

    code = "manifest_invalid"
    status = 422

    def __init__(self, problems: list[str]) -> None:
        super().__init__("kriptik.toml: " + "; ".join(problems), problems=problems)
        self.problems = problems


class StepPostponed(Retriable):
    """The world isn't ready (host down, sandbox busy); the same step may succeed in a moment."""

    code = "step_postponed"


class CoolingDown(StepPostponed):
    """The remedy was used for this user moments ago; the step is right, only `delay_s` too early."""

    code = "cooling_down"

    def __init__(self, message: str, delay_s: float) -> None:
        super().__init__(message)
        self.delay_s = delay_s


class HealRefused(Refused):
    """A cap, a switch or a rule forbids this heal run."""

    code = "heal_refused"


class ApprovalRefused(Refused):
    """What the owner approved is not what would be released."""

    code = "approval_refused"


class EvidenceBroken(Permanent):
    """The incident has no evidence that a run could work on."""

    code = "evidence_broken"
