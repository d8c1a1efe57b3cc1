"""Hands a verified fix to flags and follows the rollout. Reads no incident text."""

from urllib.parse import urlsplit

from core.errors import Refused
from flags.models import Rollout
from flags.phases import LIVE, RolloutPhase
from flags.selectors import release_cookie
from flags.services import rollout_start
from healing import limits
from healing.host_access import git_dir
from healing.models import Fix, HealRun, Verification
from healing.outcomes import OwnerNeeded, RolloutEnded, RolloutMoving, RungEnded, Verdict
from healing.policy.autonomy import may_act_alone
from healing.policy.diff_gate import Decision, verdict_load
from healing.release_spec import release_spec
from workbench.git_plumbing import tree_hash

Answer = RolloutMoving | RolloutEnded | OwnerNeeded | RungEnded


def step(run: HealRun) -> Answer:
    if run.rollout:
        return _followed(run, Rollout.objects.select_related("release").get(pk=run.rollout))
    fix = run.fix
    if fix is None:
        return RungEnded("there is no fix to roll out")
    problem = release_problem(run, fix)
    if problem is not None:
        return OwnerNeeded(problem, {"fix": fix.pk})
    return _started(run, fix)


def release_problem(run: HealRun, fix: Fix) -> str | None:
    """Why this tree may not go live now: the last look, at the commit itself, before anything is started."""
    if fix.refused:
        return f"this fix may not be released: {fix.refused}"
    if not run.verified:
        return "nobody vouched for the reporter's identity"
    if tree_hash(git_dir(run.host), fix.commit) != fix.tree_hash:
        return "the commit is not the tree that was verified"
    if run.approval.get("tree_hash") == fix.tree_hash:
        return None  # the owner has seen the verification, whatever it said
    verified = Verification.objects.filter(fix=fix, verdict=Verdict.PASSED).exists()
    if not verified or verdict_load(fix.gate) != Decision.TIER0:
        return "only a verified tier-0 fix goes live without the owner"
    alone = may_act_alone(run.host)
    return None if alone.allowed else alone.reason


def _started(run: HealRun, fix: Fix) -> Answer:
    # The same tree may be on its way already, healed for another user: one rollout carries it.
    same = Rollout.objects.filter(host=run.host, release__tree_hash=fix.tree_hash, finished_at__isnull=True)
    known = same.exclude(phase=RolloutPhase.ROLLED_BACK).first()
    run.beat()
    try:
        rollout = known or rollout_start(
            host_id=run.host_id,
            commit=fix.commit,
            tree_hash=fix.tree_hash,
            incident_id=run.incident_id or "",
            affected_subject=run.subject,
            fingerprint=run.incident.fingerprint if run.incident else "",
            touched_paths=fix.paths,
            touched_routes=_routes(run),
            spec=release_spec(run.host),
            replay=run.scenario.pk,
        )
    except Refused as error:
        return OwnerNeeded(f"the rollout was refused: {error.message}", {"fix": fix.pk})
    return RolloutMoving(rollout.pk, rollout.phase, limits.ROLLOUT_ARRIVAL_POLL_S)


def _followed(run: HealRun, rollout: Rollout) -> Answer:
    if rollout.phase == RolloutPhase.ROLLED_BACK:
        return RolloutEnded(rollout.pk, False, f"the fix was taken back: {rollout.reason}")
    if rollout.phase == RolloutPhase.FULL and rollout.finished_at is not None:
        return RolloutEnded(rollout.pk, True, "the fix serves everyone and is merged")
    if rollout.phase not in LIVE and rollout.phase != RolloutPhase.PENDING:
        return OwnerNeeded(f"the rollout is in an unknown phase: {rollout.phase}")
    serves = rollout.phase in LIVE and release_cookie(rollout.pk, run.subject) is not None
    # Until the user is on it somebody waits in front of a screen; afterwards a signal or the sweep will do.
    again = limits.ROLLOUT_POLL_S if serves else limits.ROLLOUT_ARRIVAL_POLL_S
    return RolloutMoving(rollout.pk, rollout.phase, again, serves)


def _routes(run: HealRun) -> list[str]:
    """The page and the requests of the recorded failure, without their queries."""
    evidence = run.evidence
    requests = evidence.get("requests", {}).get("value") or []
    found = [str(evidence.get("route", {}).get("value") or "")]
    found += [urlsplit(str(r.get("path", ""))).path for r in requests]
    return list(dict.fromkeys(p for p in found if p.startswith("/")))[:10]
