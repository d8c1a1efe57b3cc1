"""All that the incident page shows, gathered with a bounded number of queries."""

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from console.timeline import timeline
from core.errors import NotFound
from flags.models import Rollout
from healing.models import Fix, HealRun, ThinkingRecord
from healing.phases import Phase
from healing.selectors import runs_of_incident
from incidents.models import Incident, Recording, Report
from incidents.phases import INCIDENT, Status
from incidents.selectors import evidence_for_incident

MAX_RUNS = 10
MAX_REPLAYS = 5
MAX_DIFF_LINES = 2000
TRUST_WORDS = {
    "attacker": "written by the visitor's browser: untrusted",
    "server": "sent by the host's server",
    "ours": "measured by us",
}


@dataclass(frozen=True)
class Evidence:
    """One piece: `trust` says who could have written it, `body` is pretty-printed JSON."""

    title: str
    trust: str
    says: str
    body: str
    untrusted: bool
    words: str = ""


@dataclass(frozen=True)
class DiffLine:
    kind: str  # add, del, hunk, meta, same
    text: str


@dataclass(frozen=True)
class FixView:
    fix: Fix
    run: HealRun
    lines: list[DiffLine]
    arms: list[tuple[str, dict[str, Any]]]
    checks: list[tuple[str, dict[str, Any]]]
    intent: str
    awaits: bool


def incident_context(incident_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    incident = Incident.objects.select_related("host").filter(pk=incident_id).first()
    if incident is None:
        raise NotFound("There is no such incident.")
    runs = list(runs_of_incident(incident.pk)[:MAX_RUNS])
    rollouts = list(
        Rollout.objects.filter(incident_id=incident.pk).select_related("release").order_by("-created_at")
    )
    return {
        "incident": incident,
        "runs": runs,
        "current": runs[0] if runs else None,
        "rollouts": [(rollout, _pretty(rollout.evidence)) for rollout in rollouts],
        "timeline": timeline(incident, runs, rollouts),
        "evidence": evidence_pieces(incident_id),
        "thoughts": _thoughts(runs),
        "fixes": _fixes(runs),
        "replays": _replays(incident),
        "may_dismiss": INCIDENT.allows(incident.status, Status.DISMISSED),
        "may_reopen": incident.phase.is_settled,
        "may_heal": not any(not run.state.is_terminal for run in runs)
        and incident.status not in {Status.DISMISSED, Status.RESOLVED},
        "waits_for_runbook": _waits_for_runbook(runs),
    }


def evidence_pieces(incident_id: str) -> list[Evidence]:
    pack = evidence_for_incident(incident_id)
    pieces = [_piece("What we know", pack["incident"])]
    for number, report in enumerate(pack["reports"], 1):
        vouched = "verified user" if report["verified"] else "nobody vouched for the sender"
        pieces.append(_piece(f"Report {number} ({vouched})", report, _spoken(report["payload"])))
    pieces += [_piece(f"Server event: {event['title']}", event) for event in pack["server_events"]]
    pieces += [
        _piece(f"Service call {one.get('method', '')} {one.get('path', '')} {one.get('status', '')}", one)
        for one in pack["upstream"]
    ]
    pieces += [_piece(f"When it works ({one['count']} times)", one) for one in pack["outcomes"]]
    if pack["session"]:
        pieces.append(_piece("The visit", pack["session"]))
    return pieces


def diff_lines(diff: str) -> list[DiffLine]:
    return [DiffLine(_diff_kind(line), line) for line in diff.splitlines()[:MAX_DIFF_LINES]]


def _diff_kind(line: str) -> str:
    if line.startswith(("+++", "---", "diff ", "index ")):
        return "meta"
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "same")


def _piece(title: str, facts: dict[str, Any], words: str = "") -> Evidence:
    trust = str(facts.get("trust", "attacker"))  # unmarked is treated as the worst
    body = _pretty({key: value for key, value in facts.items() if key != "trust"})
    untrusted = trust != "ours"
    return Evidence(title, trust, TRUST_WORDS.get(trust, TRUST_WORDS["attacker"]), body, untrusted, words)


def _spoken(payload: dict[str, Any]) -> str:
    return str(payload.get("text") or payload.get("message") or "")


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _thoughts(runs: list[HealRun]) -> list[tuple[ThinkingRecord, str]]:
    if not runs:
        return []
    return [(thought, _pretty(thought.record)) for thought in runs[0].thoughts.all()]


def _fixes(runs: list[HealRun]) -> list[FixView]:
    by_id = {run.pk: run for run in runs}
    rows = Fix.objects.filter(run__in=list(by_id)).select_related("verification").order_by("-at")
    return [_fix_view(fix, by_id[fix.run_id]) for fix in rows]


def _fix_view(fix: Fix, run: HealRun) -> FixView:
    verification = getattr(fix, "verification", None)
    awaits = run.phase == Phase.AWAITING_OWNER and run.fix_id == fix.pk and not fix.refused
    return FixView(
        fix=fix,
        run=run,
        lines=diff_lines(fix.diff),
        arms=list(verification.arms.items()) if verification else [],
        checks=list(verification.checks.items()) if verification else [],
        intent=_pretty(fix.intent) if fix.intent else "",
        awaits=awaits,
    )


def _waits_for_runbook(runs: list[HealRun]) -> HealRun | None:
    for run in runs:
        if run.phase == Phase.AWAITING_OWNER and run.remedy.get("kind") == "runbook":
            return run
    return None


def _replays(incident: Incident) -> list[Report]:
    recorded = Recording.objects.filter(report=OuterRef("pk"))
    rows = Report.objects.filter(Exists(recorded), incident=incident)
    return list(rows.order_by("-received_at")[:MAX_REPLAYS])
