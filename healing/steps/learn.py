"""L1, L2 and L4: the experience is the run's row; this scores it, keeps the lesson and credits patterns."""

from collections.abc import Mapping
from typing import Any

from healing.models import HealRun, RunbookState, Verification
from healing.outcomes import Learned
from healing.patterns.judge import judge
from healing.phases import Phase, Rung

MIN_LESSON = 0.6  # a score below it teaches nothing


def step(run: HealRun) -> Learned:
    facts = _facts(run)
    score = judge(facts)
    remedy = _lesson(run)
    worthy = run.state == Phase.SETTLED and score["score"] >= MIN_LESSON and remedy is not None
    return Learned(
        pattern_id=run.pattern_id,
        note="; ".join(score["reasons"]),
        score={**score, "facts": dict(facts)},
        lesson=remedy if worthy else None,
        title=_title(run, remedy) if worthy and remedy else "",
    )


def _facts(run: HealRun) -> Mapping[str, Any]:
    use = run.runbook_uses.order_by("-at").first()
    verification = Verification.objects.filter(fix_id=run.fix_id).first() if run.fix_id else None
    changed = [
        x
        for x in (run.fix.diff if run.fix else "").splitlines()
        if x[:1] in "+-" and x[:3] not in ("+++", "---")
    ]
    return {
        "outcome": run.phase,
        "remedy": run.remedy.get("kind", ""),
        # A use is only ever prepared while the invariant is broken.
        "invariant_before": False if use else None,
        "invariant_after": use.state == RunbookState.HELD if use else None,
        "verdict": verification.verdict if verification else None,
        "p_value": verification.p_value if verification else None,
        "changed_lines": len(changed) if run.fix else None,
        "rating": run.incident.rating if run.incident else None,
    }


def _lesson(run: HealRun) -> dict[str, Any] | None:
    """The remedy in a form that the next run can use."""
    if run.remedy.get("kind") == "runbook":
        return {"kind": "runbook", "name": run.remedy["name"]}
    if run.fix is None:
        return None
    return {
        "kind": "code",
        "template": run.fix.template,
        "file": run.fix.paths[0],
        "function": next(iter(run.fix.gate.get("functions", [])), ""),
        "fix": run.fix.pk,
        "rollout": run.rollout,
    }


def _title(run: HealRun, remedy: Mapping[str, Any]) -> str:
    kind = run.incident.kind if run.incident else run.origin
    what = remedy["name"] if remedy["kind"] == "runbook" else f"{remedy['template']} in {remedy['file']}"
    rung = Rung.RUNBOOK if remedy["kind"] == "runbook" else Rung.OFFLINE
    return f"{kind}: {what} ({rung.value})"
