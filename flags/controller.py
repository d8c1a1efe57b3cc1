"""One look at one rollout: bring the gateway to what the rows say, gather evidence, judge, act.

Nothing is remembered between two looks but in rows, and what is done to the gateway and to processes says
how things shall be. So a controller may die at any line: the next look begins where the rows are, and until
then the leases in the gateway put everyone back on stable.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from core import clock, leases
from core.errors import Retriable
from flags import limits
from flags.cohorts import cohort_choose
from flags.decisions import decide
from flags.evidence import baseline_of, gather, judged_phase
from flags.gateway import gateway_open
from flags.gateway.protocol import Gateway, Routed
from flags.judge import judge
from flags.models import Assignment, Release, RequestRecord, Rollout
from flags.phases import ReleasePhase, RolloutPhase
from flags.releases import ReleaseFailed, release_check, release_start, release_wait
from flags.selectors import (
    assignments_of,
    kill_switch_on,
    rollout_ahead,
    rollout_get,
    stable_of,
    started_since,
)
from flags.services import (
    assignment_make,
    member_tell,
    phase_deadline,
    rollout_move,
    rollout_take_back,
    rollout_undo,
)

logger = logging.getLogger(__name__)

_START_WAIT_S = 8.0  # one look waits so long for a new process; the next look goes on waiting
Renew = Callable[[], None]


def advance(rollout_id: str) -> RolloutPhase | None:
    """Looks once, if nobody else does; returns the phase afterwards, None when there was nothing to do.

    Safe to call twice, at any time, by anybody. An exception counts as an attempt: after five in a row the
    tick takes the rollout back.
    """
    rows = Rollout.objects.filter(finished_at__isnull=True)
    token = leases.claim(rows, rollout_id, limits.LEASE_S)
    if token is None:
        return None
    done = False
    try:
        _look(rollout_get(rollout_id), lambda: leases.renew(rows, rollout_id, token, limits.LEASE_S))
        done = True
    except Retriable as error:
        logger.warning("%s waits: %s", rollout_id, error.message)
        Rollout.objects.filter(pk=rollout_id).update(reason=error.message[:500])
        done = True
    finally:
        leases.release(Rollout.objects.all(), rollout_id, token, done=done)
    return rollout_get(rollout_id).stage


def _look(rollout: Rollout, renew: Renew) -> None:
    if rollout.phase == RolloutPhase.ROLLED_BACK:
        rollout_undo(rollout.pk)
    elif kill_switch_on(rollout.host):
        rollout_take_back(rollout.pk, reason="the kill switch is on", actor="kill switch")
    elif rollout.phase == RolloutPhase.PENDING:
        _pending(rollout, renew)
    else:
        _live(rollout, renew)


# --- Before anybody is on it -------------------------------------------------------------------------------


def _pending(rollout: Rollout, renew: Renew) -> None:
    if clock.now() - rollout.created_at > timedelta(seconds=limits.PENDING_S):
        rollout_take_back(rollout.pk, reason=f"it found no turn: {rollout.reason}")
        return
    reason = _waits_for(rollout)
    if reason:
        Rollout.objects.filter(pk=rollout.pk).update(reason=reason)
        return
    try:
        release_start(rollout.release_id)
    except ReleaseFailed as error:
        rollout_take_back(rollout.pk, reason=error.message)
        return
    release = release_wait(rollout.release_id, _START_WAIT_S, renew)
    if release.phase == ReleasePhase.READY:
        _admit(rollout, release)
    elif release.phase != ReleasePhase.STARTING:
        told = release.transitions.order_by("-at", "-id").values_list("reason", flat=True).first()
        rollout_take_back(rollout.pk, reason=f"the candidate did not start: {told}")


def _waits_for(rollout: Rollout) -> str | None:
    ahead = rollout_ahead(rollout)
    if ahead is not None:
        return f"waits for {ahead.pk}: one rollout at a time"
    if stable_of(rollout.host_id) is None:
        return "waits for stable, which is not running"
    if rollout.release.started_at is None:
        for seconds, cap in ((3600, settings.RELEASES_PER_HOUR), (86_400, settings.RELEASES_PER_DAY)):
            if started_since(rollout.host_id, seconds) >= cap:
                return f"waits: {cap} releases in {seconds // 3600} h is the cap"
    return None


def _admit(rollout: Rollout, release: Release) -> None:
    """The gateway first, the phase after: whoever hears of the phase finds his way open."""
    if rollout.affected_subject:
        assignment_make(rollout, rollout.affected_subject, ["had the trouble that this fix is for"])
    _reconcile(rollout, release)
    newest = RequestRecord.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    rollout_move(
        rollout.pk,
        RolloutPhase.AFFECTED_USER,
        from_=RolloutPhase.PENDING,
        reason="the candidate answers its health check; the affected user is on it",
        extra={
            "looked_at": clock.now(),
            "baseline": baseline_of(rollout.host_id),
            "cursor": newest,
            "sequential": {},
        },
    )


# --- With users on it --------------------------------------------------------------------------------------


def _live(rollout: Rollout, renew: Renew) -> None:
    if _was_left_alone(rollout) and not _resume(rollout, renew):
        return
    if judged_phase(rollout) == RolloutPhase.SIMILAR_USERS and rollout.cohort is None:
        _choose_cohort(rollout)
    release = release_check(rollout.release_id)
    if release.phase == ReleasePhase.READY:
        _reconcile(rollout, release)
        _tell_new_members(rollout)
    members = list(assignments_of(rollout))
    evidence, tally, cursor = gather(rollout, release, members)
    judgement = judge(evidence)
    shown = judgement.as_json() | {
        "requests": evidence.requests,
        "touched_requests": evidence.touched_requests,
        "replay_runs": evidence.replay_runs,
        "at": clock.now_ms(),
    }
    Rollout.objects.filter(pk=rollout.pk).update(
        sequential=tally.as_json(), cursor=cursor, evidence=shown, looked_at=clock.now()
    )
    decide(rollout_get(rollout.pk), judgement, evidence.requests)


def _was_left_alone(rollout: Rollout) -> bool:
    """Nobody looked for longer than the lease: its members were on stable, the clock measured nothing."""
    if rollout.release.phase == ReleasePhase.STOPPED:
        return True
    looked = rollout.looked_at or rollout.since
    return clock.now() - looked > timedelta(seconds=settings.ROLLOUT_LEASE_S)


def _resume(rollout: Rollout, renew: Renew) -> bool:
    """Measures the phase anew; a process that was stopped with everything else is started again."""
    if rollout.release.phase == ReleasePhase.STOPPED:
        if stable_of(rollout.host_id) is None:
            return False  # everything is just being started: stable first
        release_start(rollout.release_id)
        if release_wait(rollout.release_id, _START_WAIT_S, renew).phase != ReleasePhase.READY:
            rollout_take_back(rollout.pk, reason="the candidate did not start again after a stop")
            return False
    since, deadline = clock.now(), phase_deadline(rollout.stage)
    rows = Rollout.objects.filter(pk=rollout.pk)
    rows.update(since=since, deadline=deadline, looked_at=since, replay_wanted_at=None, replay_result=None)
    rollout.refresh_from_db()
    logger.warning("%s was left alone: its phase begins anew", rollout.pk)
    return True


def _choose_cohort(rollout: Rollout) -> None:
    cohort = cohort_choose(rollout)
    with transaction.atomic():
        for person in cohort.chosen:
            assignment_make(rollout, person.subject, list(person.why), RolloutPhase.SIMILAR_USERS)
        Rollout.objects.filter(pk=rollout.pk).update(cohort=cohort.as_json())
    rollout.cohort = cohort.as_json()


def _reconcile(rollout: Rollout, release: Release) -> None:
    """Makes the gateway what the rows say, and renews the lease."""
    assert release.port is not None, "a release that is ready has a port"
    gateway = gateway_open()
    seen = gateway.observed().releases.get(release.pk)
    if seen is None or seen.port != release.port or not seen.up:
        gateway.add_release(release.pk, release.port)
    _reconcile_members(gateway, rollout, release.pk, seen)
    gateway.renew(release.pk, settings.ROLLOUT_LEASE_S)


def _reconcile_members(gateway: Gateway, rollout: Rollout, release: str, seen: Routed | None) -> None:
    wanted = set(assignments_of(rollout).values_list("token", flat=True))
    present = set(seen.tokens) if seen is not None else set()
    for token in wanted - present:
        gateway.assign(token, release)
    for token in present - wanted:
        gateway.unassign(token)
    all_of_them = judged_phase(rollout) == RolloutPhase.FULL
    if all_of_them and (seen is None or not seen.everyone):
        gateway.everyone(release)
    elif not all_of_them and seen is not None and seen.everyone:
        gateway.everyone(None)


def _tell_new_members(rollout: Rollout) -> None:
    """Similar users get their token; the affected user hears of it from healing, with the good news."""
    for member in assignments_of(rollout).filter(told_at__isnull=True):
        if member.subject != rollout.affected_subject:
            member_tell(member, invited=True)
        Assignment.objects.filter(pk=member.pk).update(told_at=clock.now())
