"""A wait for a person that ended without an answer."""

from healing.models import HealRun
from healing.outcomes import RungEnded
from healing.phases import Phase


def step(run: HealRun) -> RungEnded:
    who = "user" if run.state == Phase.NEEDS_INPUT else "owner"
    return RungEnded(f"no answer from the {who} before the deadline")
