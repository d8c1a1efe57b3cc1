"""One timeline of an incident: its own history, its runs' and its rollouts', in the order it happened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.transitions import Transition
from flags.models import Rollout, RolloutTransition
from healing.models import HealRun, RunTransition
from incidents.models import Feedback, Incident, IncidentTransition

MAX_LINES = 400


@dataclass(frozen=True)
class Line:
    """`source`: incident, heal run, rollout or user. `untrusted`: the words are a visitor's."""

    at: datetime
    source: str
    phase: str
    text: str
    actor: str
    detail: dict[str, Any]
    untrusted: bool = False


def timeline(incident: Incident, runs: Iterable[HealRun], rollouts: Iterable[Rollout]) -> list[Line]:
    """Oldest first, at most MAX_LINES of each source."""
    lines = [Line(incident.first_seen, "incident", "detected", "first report", "system", {})]
    own = IncidentTransition.objects.filter(subject=incident)
    of_runs = RunTransition.objects.filter(subject__in=[run.pk for run in runs])
    of_rollouts = RolloutTransition.objects.filter(subject__in=[rollout.pk for rollout in rollouts])
    lines += [_line("incident", row) for row in own[:MAX_LINES]]
    lines += [_line("heal run", row) for row in of_runs[:MAX_LINES]]
    lines += [_line("rollout", row) for row in of_rollouts[:MAX_LINES]]
    lines += [_feedback(row) for row in Feedback.objects.filter(incident=incident)[:MAX_LINES]]
    return sorted(lines, key=lambda line: line.at)


def _line(source: str, row: Transition) -> Line:
    return Line(row.at, source, row.to_phase, row.reason, row.actor, row.detail)


def _feedback(row: Feedback) -> Line:
    said = {
        "answer": f"answered {row.choice}".strip(),
        "rating": f"gave {row.stars} of 5 stars",
        "try_again": "pressed Try Again",
    }.get(row.kind, row.kind)
    text = f"{said}: {row.text}" if row.text else said
    return Line(row.at, "user", row.kind, text, row.subject, {}, untrusted=True)
