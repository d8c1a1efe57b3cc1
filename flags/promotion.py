"""The end of a good rollout: merged, and everyone's. And the pause of one that needs the owner."""

from datetime import timedelta
from pathlib import Path

from django.db import transaction

from core import clock
from flags import limits
from flags.gateway import gateway_open
from flags.models import Assignment, Release, ReleaseKind, Rollout, flag_change
from flags.phases import RolloutPhase
from flags.services import rollout_move
from notifications.services import owner_alert
from workbench.git_plumbing import GitError, fast_forward, resolve


def rollout_finish(rollout: Rollout, reason: str) -> bool:
    """Merges the candidate and makes its running process stable; the old one finishes what it has open.

    Every step may be repeated. A host's branch that moved meanwhile is the owner's to decide: held.
    """
    host, release = rollout.host, rollout.release
    try:
        fast_forward(
            Path(host.git_dir), host.branch, resolve(Path(host.git_dir), host.branch), release.commit
        )
    except GitError as error:
        rollout_hold(rollout, f"it can't be merged into {host.branch}: {error}")
        return False
    assert release.port is not None, "a release that serves everyone has a port"
    gateway = gateway_open()
    # Both lead to the same process for a moment, so no request falls between them.
    gateway.stable_set(release.port)
    with transaction.atomic(), flag_change(actor="system", reason=f"merged: {reason}"):
        _become_stable(release)
        flag = rollout.flag
        if flag is not None and flag.everyone is not True:
            flag.everyone = True
            flag.save()
        Assignment.objects.filter(rollout=rollout, ended_at__isnull=True).update(ended_at=clock.now())
        Rollout.objects.filter(pk=rollout.pk).update(
            merged_commit=release.commit, reason=f"merged into {host.branch}: {reason}"[:500]
        )
    gateway.remove(release.pk)
    Rollout.objects.filter(pk=rollout.pk).update(finished_at=clock.now())
    return True


def _become_stable(release: Release) -> None:
    until = clock.now() + timedelta(seconds=limits.DRAIN_S)
    old = Release.objects.filter(host_id=release.host_id, kind=ReleaseKind.STABLE, drain_until__isnull=True)
    old.exclude(pk=release.pk).update(drain_until=until)
    Release.objects.filter(pk=release.pk).update(kind=ReleaseKind.STABLE)


def rollout_hold(rollout: Rollout, reason: str) -> None:
    """Stops where it is and asks the owner; without an answer before the deadline it goes back."""
    moved = rollout_move(
        rollout.pk,
        RolloutPhase.HELD,
        from_=rollout.stage,
        reason=reason,
        detail=rollout.evidence,
        extra={"held_from": rollout.phase},
    )
    if moved:
        owner_alert(
            priority="P2",
            key=f"rollout:{rollout.pk}:held",
            title="A rollout waits for you",
            body=reason,
            url=f"/console/flags/rollout/{rollout.pk}/change/",
        )
