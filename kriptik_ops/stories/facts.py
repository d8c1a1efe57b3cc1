"""What the rows say about one user's incident: the histories are the timeline."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core import clock
from flags.models import Rollout, RolloutTransition
from healing.models import Fix, HealRun, RunbookUse, RunTransition, Verification
from healing.phases import Phase
from healing.selectors import runs_of_incident
from incidents.models import Host, Incident, IncidentTransition
from kriptik_ops.stories.timeline import Fact, Timeline


def incident_of(host: Host, user: str, since: datetime) -> Incident | None:
    """The newest incident that this user reported since then."""
    subject = f"host:{host.pk}:user:{user}"
    reported = Incident.objects.filter(host=host, reports__subject=subject, reports__received_at__gte=since)
    return reported.order_by("-first_seen").first()


def run_of(incident: Incident) -> HealRun | None:
    return runs_of_incident(incident.pk).first()


def is_over(run: HealRun | None) -> bool:
    return run is not None and Phase(run.phase).is_terminal and run.learned_at is not None


def tell(timeline: Timeline, incident: Incident, since: datetime) -> None:
    """Adds what the rows know to the timeline: facts, remedy, verification counts, rollout phases."""
    timeline.facts += _history("incident", IncidentTransition.objects.filter(subject=incident), since)
    run = run_of(incident)
    if run is None:
        return
    timeline.facts += _history("run", RunTransition.objects.filter(subject=run), since)
    timeline.remedy = _remedy(run)
    if run.fix_id:
        timeline.verification = _verification(run)
    rollout = Rollout.objects.filter(pk=run.rollout).first() if run.rollout else None
    if rollout:
        moves = RolloutTransition.objects.filter(subject=rollout)
        timeline.facts += _history("rollout", moves, since)
        timeline.rollout = [
            {"phase": m.to_phase, "at_ms": _ms(m.at, since), "reason": m.reason} for m in moves
        ]
    timeline.facts.sort(key=lambda fact: fact.at_ms)


def _history(source: str, moves: Any, since: datetime) -> Iterator[Fact]:
    # The incident may be older: what another user went through is not this one's story.
    for move in moves.filter(at__gte=since):
        yield Fact(_ms(move.at, since), source, move.to_phase, move.reason)


def _remedy(run: HealRun) -> dict[str, Any]:
    use = RunbookUse.objects.filter(run=run).order_by("-at").first()
    if use:
        return {"kind": "runbook", "name": use.action, "changed": use.changed, "state": use.state}
    fix = Fix.objects.filter(pk=run.fix_id).first()
    if fix:
        return {"kind": "code", "template": fix.template, "paths": fix.paths, "diff": fix.diff}
    return {}


def _verification(run: HealRun) -> dict[str, dict[str, int]]:
    """Counts per arm: `base` as it was shown to fail on the clone, `clone` and `generic` of the fix."""
    verification = Verification.objects.filter(fix_id=run.fix_id).first()
    if verification is None:
        return {}
    return {name: _counts(counts) for name, counts in verification.arms.items()}


def _counts(counts: dict[str, Any]) -> dict[str, int]:
    found = {name: int(counts.get(name, 0)) for name in ("passed", "failed", "error")}
    return found | {"runs": int(counts.get("runs", sum(found.values())))}


def _ms(at: datetime, since: datetime) -> int:
    return clock.to_ms(at) - clock.to_ms(since)
