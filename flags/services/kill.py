"""Taking releases back: one, or all of them at once. Needs neither broker nor worker."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from core import clock
from core.errors import NeedsOwner
from flags.gateway import STABLE, Gateway, gateway_open
from flags.models import Assignment, KillSwitch, Release, ReleaseKind, Rollout, flag_change
from flags.phases import LIVE, ROLLOUT, ReleasePhase, RolloutPhase
from flags.proof import Proof
from flags.releases import release_stop
from flags.selectors import assignments_of, kill_switch_on, release_get, rollout_get
from flags.services.moves import member_tell, rollout_move
from notifications.services import owner_alert


def release_kill(release_id: str, *, reason: str = "killed by hand", actor: str = "system") -> dict[str, Any]:
    """Takes everyone off a candidate now, and proves it; needs neither broker nor worker.

    Returns the proof: {"proved", "ms", "steps": [{"step", "ok", "ms", ...}]}. Raises NotFound, and
    NeedsOwner for stable, which has nothing to go back to.
    """
    release = release_get(release_id)
    if release.kind == ReleaseKind.STABLE:
        raise NeedsOwner(
            f"{release_id} is stable: there is nothing to go back to. Revert its commit to replace it."
        )
    proof = Proof()
    _off_the_gateway(release_id, proof)
    rollout = Rollout.objects.filter(release=release).first()
    if rollout is not None:
        rollout_take_back(rollout.pk, reason=reason, actor=actor, undo=False)
        return rollout_undo(rollout.pk, proof)
    _undo(release, None, proof)
    return proof.as_json()


def kill_all(*, reason: str, actor: str) -> dict[str, dict[str, Any]]:
    """The emergency switch: nothing new starts from now on, and every candidate is taken back.

    Returns the proof of each. What runs sees the switch at its next step; `kill_lift` ends it.
    """
    if not kill_switch_on():
        KillSwitch.objects.create(reason=reason[:500], actor=actor[:120])
    waiting = Rollout.objects.filter(finished_at__isnull=True).values_list("release_id", flat=True)
    running = Release.objects.filter(
        kind=ReleaseKind.CANDIDATE, phase__in=[ReleasePhase.STARTING, ReleasePhase.READY]
    ).values_list("pk", flat=True)
    proofs = {}
    for release_id in dict.fromkeys([*running, *waiting]):
        proofs[release_id] = release_kill(release_id, reason=f"kill switch: {reason}", actor=actor)
    return proofs


def kill_lift(*, actor: str) -> bool:
    """Ends the emergency; what was taken back stays so. False when the switch was not on."""
    rows = KillSwitch.objects.filter(lifted_at__isnull=True)
    return bool(rows.update(lifted_at=clock.now(), lifted_by=actor[:120]))


def rollout_take_back(
    rollout_id: str,
    *,
    reason: str,
    actor: str = "system",
    detail: Mapping[str, Any] | None = None,
    undo: bool = True,
) -> bool:
    """Rolls back: routes and severs first, then says so, then clears everything away and proves it.

    Returns whether this call made the move. A crash anywhere in between is finished by the next look.
    """
    rollout = rollout_get(rollout_id)
    proof = Proof()
    if undo:
        _off_the_gateway(rollout.release_id, proof)
    sources = [phase for phase in RolloutPhase if ROLLOUT.allows(phase, RolloutPhase.ROLLED_BACK)]
    with transaction.atomic():
        moved = rollout_move(
            rollout_id,
            RolloutPhase.ROLLED_BACK,
            from_=sources,
            reason=reason,
            actor=actor,
            detail=detail,
            extra={"run_after": clock.now()},
        )
        if moved:
            _alert(rollout, reason, actor)
    if undo:
        rollout_undo(rollout_id, proof)
    return moved


def _alert(rollout: Rollout, reason: str, actor: str) -> None:
    live = rollout.phase in LIVE
    owner_alert(
        priority="P0" if live and actor == "system" else "P2",
        key=f"rollout:{rollout.pk}",
        title="A fix was taken back" if live else "A fix could not be rolled out",
        body=reason,
        url=f"/console/flags/rollout/{rollout.pk}/change/",
    )


def rollout_undo(rollout_id: str, proof: Proof | None = None) -> dict[str, Any]:
    """Clears away what a rolled-back rollout left; it is over when the proof holds."""
    rollout = rollout_get(rollout_id)
    proof = proof or Proof()
    token = rollout.assignments.values_list("token", flat=True).first()
    _undo(rollout.release, token, proof)
    members = list(assignments_of(rollout))
    with transaction.atomic(), flag_change(actor="system", reason=rollout.reason or "rolled back"):
        flag = rollout.flag
        if flag is not None and not flag.killed:
            flag.killed = True
            flag.save()
        _members_released(rollout, members)
        found = proof.as_json()
        over = {"finished_at": clock.now()} if found["proved"] else {}
        Rollout.objects.filter(pk=rollout_id).update(proof=found, **over)
    return found


def _members_released(rollout: Rollout, members: Sequence[Assignment]) -> None:
    Assignment.objects.filter(pk__in=[m.pk for m in members]).update(ended_at=clock.now())
    for member in members:
        if member.subject != rollout.affected_subject:  # healing has more to say to that one
            member_tell(member, invited=False)


def _off_the_gateway(release_id: str, proof: Proof) -> None:
    gateway = gateway_open()
    with proof.step("route"):
        gateway.route_away(release_id)
    with proof.step("sever") as line:
        line["severed"] = gateway.sever(release_id)


def _undo(release: Release, token: str | None, proof: Proof) -> None:
    gateway = gateway_open()
    with proof.step("forget"):
        gateway.remove(release.pk)
    with proof.step("stop") as line:
        line["ok"] = release_stop(release.pk, "taken back")
    with proof.step("probe") as line:
        _probe(gateway, release, token, line)


def _probe(gateway: Gateway, release: Release, token: str | None, line: dict[str, Any]) -> None:
    """Asks like a member would: somebody else must answer, and the gateway must not know the release."""
    line["answered_by"] = gateway.answered_by(token, release.health)
    line["ok"] = line["answered_by"] == STABLE and release.pk not in gateway.observed().releases
