"""Beginning a rollout, and what others say to a running one."""

from collections.abc import Sequence

from django.db import transaction

from core import clock
from core.errors import Refused
from flags.models import Flag, ReleaseKind, Rollout, flag_change
from flags.phases import LIVE, NEXT, RolloutPhase
from flags.releases import release_build
from flags.selectors import kill_switch_on, rollout_get, rollout_of_commit
from flags.services.moves import rollout_move
from flags.spec import ReleaseSpec
from incidents.fingerprint import path_pattern
from incidents.models import Host


def rollout_start(
    *,
    host_id: int,
    commit: str,
    tree_hash: str,
    incident_id: str = "",
    affected_subject: str = "",
    fingerprint: str = "",
    touched_paths: Sequence[str] = (),
    touched_routes: Sequence[str] = (),
    spec: ReleaseSpec,
    replay: str = "",
) -> Rollout:
    """Prepares a rollout of this commit; the controller takes it from there. Called twice, it is one.

    `affected_subject` is the verified user who had the trouble; empty for a change that nobody asked for.
    Raises Refused when the kill switch is on or the subject is an anonymous visit, ReleaseFailed when the
    commit can't be laid out.
    """
    host = Host.objects.get(pk=host_id)
    if kill_switch_on(host):
        raise Refused("The kill switch is on: nothing new starts.", code="killed")
    if affected_subject and ":user:" not in affected_subject:
        raise Refused(
            "A rollout needs a user whom the host vouches for; this subject is an anonymous visit.",
            code="anonymous",
        )
    known = rollout_of_commit(host_id, commit)
    if known is not None:
        return known
    release = release_build(
        host=host, kind=ReleaseKind.CANDIDATE, commit=commit, tree_hash=tree_hash, spec=spec
    )
    with transaction.atomic(), flag_change(actor="system", reason=f"rollout of {commit[:10]}"):
        flag = Flag(name=f"fix_{release.pk.removeprefix('rel_')}", note=f"Candidate {release.pk}")
        flag.save()
        return Rollout.objects.create(
            host=host,
            release=release,
            flag=flag,
            incident_id=incident_id,
            affected_subject=affected_subject,
            fingerprint=fingerprint,
            touched_paths=list(touched_paths),
            touched_routes=list(dict.fromkeys(path_pattern(route) for route in touched_routes)),
            replay=replay,
        )


def rollout_approve(rollout_id: str, *, actor: str, tree_hash: str) -> Rollout:
    """The owner's word for a held rollout: it goes on to the next phase, as if the evidence had been enough.

    Bound to the exact tree: raises Refused when `tree_hash` is not the release's, or the rollout is not
    held (any more).
    """
    rollout = rollout_get(rollout_id)
    if tree_hash != rollout.release.tree_hash:
        raise Refused("This approval is for another tree than the one that is rolled out.", code="other_tree")
    if kill_switch_on(rollout.host):
        raise Refused("The kill switch is on: lift it before approving.", code="killed")
    to = NEXT[RolloutPhase(rollout.held_from)] if rollout.held_from else None
    if to is None or not rollout_move(
        rollout_id,
        to,
        from_=RolloutPhase.HELD,
        reason="the owner approved",
        actor=actor,
        detail={"tree_hash": tree_hash, "held_from": rollout.held_from},
    ):
        raise Refused("This rollout is not held (any more).", code="not_held")
    return rollout_get(rollout_id)


def rollout_replay_result(rollout_id: str, passed: bool, runs: int) -> bool:
    """Healing's answer to `replay_wanted`. False when nobody waits for it (any more)."""
    result = {"passed": passed, "runs": runs, "at": clock.now_ms()}
    rows = Rollout.objects.filter(pk=rollout_id, phase__in=LIVE, replay_wanted_at__isnull=False)
    return bool(rows.update(replay_result=result, run_after=clock.now()))
