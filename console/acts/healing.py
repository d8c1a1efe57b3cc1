"""What the owner decides about heal runs and fixes."""

from django.db import transaction
from django.urls import reverse

from console.acts.base import Act, Ask, Asked, act_register
from console.acts.incidents import incident_facts, incident_get, incident_url
from core.errors import NotFound, Refused
from healing.models import Fix, HealRun
from healing.services import fix_approve, run_open, run_reject, runbook_approve
from healing.tasks import heal_advance

_MOVED_ON = "It was decided or moved on meanwhile. Look at it again."


def _fix_ask(fix_id: str) -> Ask:
    fix = Fix.objects.select_related("run").filter(pk=fix_id).first()
    if fix is None:
        raise NotFound("There is no such fix.")
    return Ask(
        title="Approve this fix",
        says="Exactly this tree goes live: for the affected user, then for similar users, then for all.",
        button="Approve and roll out",
        back=_run_url(fix.run),
        facts=[
            ("Changed files", ", ".join(fix.paths) or "none"),
            ("Template", fix.template),
            ("Gate", f"{fix.gate.get('decision', 'unknown')}: {'; '.join(fix.gate.get('reasons', []))}"),
            ("Tree", fix.tree_hash),
        ],
        bound={"tree_hash": fix.tree_hash},
    )


def _fix_approve(asked: Asked) -> str:
    fix = Fix.objects.filter(pk=asked.subject).values_list("run_id", flat=True).first()
    if not fix_approve(asked.subject, asked.bound.get("tree_hash", ""), asked.actor):
        raise Refused(_MOVED_ON)
    _wake(str(fix))
    return "Approved. The rollout starts with the affected user."


def _runbook_ask(run_id: str) -> Ask:
    run = _run_get(run_id)
    return Ask(
        title="Approve this runbook",
        says="The host's own action is applied for the affected user, checked, and undone if it fails.",
        button="Approve and apply",
        back=_run_url(run),
        facts=[("Runbook", str(run.remedy.get("name", "none"))), ("User", run.user or "unknown")],
    )


def _runbook_approve(asked: Asked) -> str:
    if not runbook_approve(asked.subject, asked.actor):
        raise Refused(_MOVED_ON)
    _wake(asked.subject)
    return "Approved. The runbook is applied now."


def _reject_ask(run_id: str) -> Ask:
    run = _run_get(run_id)
    return Ask(
        title="Reject",
        says="The run ends here. Nothing of it goes live, and the incident stays with you.",
        button="Reject",
        back=_run_url(run),
        facts=[("Run", run.pk), ("Now", run.state.label)],
        danger=True,
    )


def _reject(asked: Asked) -> str:
    if not run_reject(asked.subject, asked.actor, asked.reason or "no reason given"):
        raise Refused(_MOVED_ON)
    return "Rejected."


def _heal_ask(incident_id: str) -> Ask:
    return Ask(
        title="Heal again",
        says="A new heal run starts from the latest report.",
        button="Heal again",
        back=incident_url(incident_id),
        facts=incident_facts(incident_get(incident_id)),
    )


def _heal(asked: Asked) -> str:
    run = run_open(asked.subject)
    _wake(run.pk)
    return f"Heal run {run.pk} is on its way."


def _run_get(run_id: str) -> HealRun:
    run = HealRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such heal run.")
    return run


def _run_url(run: HealRun) -> str:
    if run.incident_id:
        return incident_url(run.incident_id)
    return reverse("admin:healing_healrun_change", args=[run.pk])


def _wake(run_id: str) -> None:
    """A hint: with the broker down the sweeper takes the run up within seconds."""
    transaction.on_commit(lambda: heal_advance.apply_async(args=(run_id,), retry=False) and None, robust=True)


act_register(Act("approve_fix", _fix_ask, _fix_approve))
act_register(Act("approve_runbook", _runbook_ask, _runbook_approve))
act_register(Act("reject", _reject_ask, _reject))
act_register(Act("heal", _heal_ask, _heal))
