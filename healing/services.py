"""Everything that starts, answers or decides a heal run from outside."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from core import clock
from core.errors import NotFound
from core.transitions import move as transition
from healing.errors import ApprovalRefused, HealRefused
from healing.host_access import host_user
from healing.models import Fix, HealRun, RunTransition
from healing.patterns.library import pattern_demote
from healing.phases import HEAL_RUN, Origin, Phase
from healing.policy.autonomy import may_start_run
from healing.routing import Move
from healing.selectors import answer_given, live_run_of
from healing.telling import tell_moved
from incidents.models import Host, Incident, Report
from incidents.phases import Status


def run_open(incident_id: str) -> HealRun:
    """The live run of this incident, made when there is none.

    Raises NotFound, or HealRefused when the kill switch, a cap or the incident's own state forbids it.
    """
    incident = Incident.objects.select_related("host").filter(pk=incident_id).first()
    if incident is None:
        raise NotFound(
            f"There is no incident {incident_id}. `manage.py heal` without an id lists the open ones."
        )
    live = live_run_of(incident_id)
    if live is not None:
        return live
    if incident.status in (Status.DISMISSED, Status.RESOLVED):
        raise HealRefused(f"Incident {incident_id} is {incident.status}; reopen it first.")
    report = _report_to_heal(incident)
    user = host_user(incident.host, report.subject) if report.verified else ""
    permission = may_start_run(incident.host, vouched=bool(user))
    if not permission.allowed:
        raise HealRefused(f"No heal run for {incident_id}: {permission.reason}.")
    try:
        with transaction.atomic():
            _demote_what_came_back(incident, report.subject)
            return HealRun.objects.create(
                host=incident.host,
                incident=incident,
                subject=report.subject,
                user=user,
                verified=bool(user),
            )
    except IntegrityError:
        # Somebody opened it between our look and our insert: the constraint is the judge.
        live = live_run_of(incident_id)
        if live is None:
            raise
        return live


def run_open_brief(*, host: Host, origin: Origin, brief: str, actor: str) -> HealRun:
    """A run from the owner's words (a proposal or a quick fix)."""
    permission = may_start_run(host, vouched=True)
    if not permission.allowed:
        raise HealRefused(f"No heal run: {permission.reason}.")
    return HealRun.objects.create(host=host, origin=origin, brief=brief, approval={"actor": actor})


def run_answered(run_id: str) -> bool:
    """Takes up the user's stored answer. False: none yet, or somebody was faster. Twice does no harm."""
    run = HealRun.objects.filter(pk=run_id, phase=Phase.NEEDS_INPUT).first()
    choice = answer_given(run) if run else None
    if run is None or choice is None:
        return False
    resume = Phase(run.answer.get("resume", Phase.DIAGNOSING))
    answer = {**run.answer, "choice": choice or "free_text", "at": clock.now().isoformat()}
    extra = {"answer": answer, "wait_until": None, "run_after": clock.now(), "attempts": 0}
    return _decided(
        run, Move(resume, f"the user answered {choice or 'in their own words'}", extra=extra), "user"
    )


def fix_approve(fix_id: str, tree_hash: str, actor: str) -> bool:
    """The owner lets this very tree go live. Raises NotFound, or ApprovalRefused when it isn't this tree."""
    fix = Fix.objects.select_related("run").filter(pk=fix_id).first()
    if fix is None:
        raise NotFound(f"There is no fix {fix_id}.")
    if fix.tree_hash != tree_hash:
        raise ApprovalRefused(f"The fix is tree {fix.tree_hash}, not {tree_hash}: look at the diff again.")
    if fix.refused:
        raise ApprovalRefused(f"This fix may never be released: {fix.refused}")
    if fix.run.fix_id != fix.pk:
        raise ApprovalRefused("The run has gone on to another fix: look at that one.")
    approval = {"actor": actor, "tree_hash": tree_hash, "fix": fix.pk, "at": clock.now().isoformat()}
    return _decided(
        fix.run, Move(Phase.ROLLING_OUT, f"approved by {actor}", approval, _resumed(approval)), actor
    )


def runbook_approve(run_id: str, actor: str) -> bool:
    """The owner lets the run's runbook be applied."""
    run = HealRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"There is no heal run {run_id}.")
    name = run.remedy.get("name") if run.remedy.get("kind") == "runbook" else None
    if not name:
        raise ApprovalRefused("This run has no runbook to approve.")
    approval = {"actor": actor, "runbook": name, "at": clock.now().isoformat()}
    return _decided(run, Move(Phase.REMEDIATING, f"approved by {actor}", approval, _resumed(approval)), actor)


def run_reject(run_id: str, actor: str, reason: str) -> bool:
    """The owner says no."""
    run = HealRun.objects.filter(pk=run_id).select_related("incident").first()
    if run is None:
        raise NotFound(f"There is no heal run {run_id}.")
    told = f"rejected by {actor}: {reason}"
    extra = {"finished_at": clock.now(), "outcome": told[:500], "wait_until": None}
    return _decided(run, Move(Phase.REJECTED, told, extra=extra), actor)


def run_wake(run_id: str) -> None:
    """Lets the next sweep or task take the run up at once; whoever holds it keeps it."""
    HealRun.objects.filter(pk=run_id).update(run_after=clock.now())


def _resumed(approval: dict[str, Any]) -> dict[str, Any]:
    return {"approval": approval, "wait_until": None, "run_after": clock.now(), "attempts": 0}


def _decided(run: HealRun, move: Move, actor: str) -> bool:
    """A person's move, out of a waiting phase, with its news in the same transaction."""
    assert move.to is not None
    with transaction.atomic():
        won = transition(
            HealRun,
            run.pk,
            HEAL_RUN,
            history=RunTransition,
            from_=run.phase if run.state.is_waiting else Phase.AWAITING_OWNER,
            to=move.to,
            reason=move.reason,
            actor=actor,
            detail=move.detail,
            extra=move.extra,
        )
        if won:
            tell_moved(run, move, None)
    return won


def _demote_what_came_back(incident: Incident, subject: str) -> None:
    """A remedy speaks against its pattern when the trouble returns: code for anybody, a runbook (which heals
    one account) only for the same user.
    """
    last = incident.heal_runs.filter(phase=Phase.SETTLED).order_by("-created_at").first()
    if last is None or last.pattern_id is None or last.created_at >= incident.opened_at:
        return
    if last.remedy.get("kind") == "code" or last.subject == subject:
        pattern_demote(last.pattern_id, f"incident {incident.pk} came back after run {last.pk}")


def _report_to_heal(incident: Incident) -> Report:
    """The report whose user is helped: the newest verified one of this occurrence that no run has had."""
    rows = incident.reports.filter(received_at__gte=incident.opened_at - timedelta(seconds=1))
    healed = HealRun.objects.filter(incident=incident, created_at__gte=incident.opened_at).values("subject")
    newest = rows.order_by("-received_at")
    found = (
        newest.filter(verified=True).exclude(subject__in=healed).first()
        or newest.filter(verified=True).first()
    )
    report = found or newest.first() or incident.reports.order_by("-received_at").first()
    if report is None:
        raise HealRefused(f"Incident {incident.pk} has no report to heal from.")
    return report
