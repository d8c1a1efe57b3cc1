"""Tasks: ids in, one call. Each may run twice, or not at all: the next tick finds what is due."""

import logging

from celery import shared_task
from django.db import transaction

from core import clock, leases
from core.errors import KriptikError
from flags.controller import advance
from flags.gateway import GatewayDown, gateway_open
from flags.models import Release, ReleaseKind, Rollout
from flags.phases import ReleasePhase
from flags.releases import process_of, release_start, release_stop, release_wait
from flags.selectors import rollouts_due
from flags.services import rollout_take_back, stable_route

logger = logging.getLogger(__name__)

_RESTART_WAIT_S = 10.0


@shared_task(name="flags.tick", ignore_result=True, time_limit=60)
def tick() -> None:
    """Every two seconds: stable runs and is routed to, what was replaced ends, every rollout gets a look."""
    for chore in (_stable_runs, _drained_ends, _dead_letters):
        try:
            chore()
        except KriptikError:
            logger.exception("%s", chore.__name__)
    for rollout_id in rollouts_due().values_list("pk", flat=True):
        rollout_advance.delay(rollout_id)


@shared_task(name="flags.advance", ignore_result=True, time_limit=120)
def rollout_advance(rollout_id: str) -> None:
    """One look. A second worker with the same id finds the lease taken and does nothing."""
    advance(rollout_id)


def _stable_runs() -> None:
    """Starts a stable that died by itself, and tells the gateway where stable is if it thinks otherwise."""
    rows = Release.objects.filter(kind=ReleaseKind.STABLE, drain_until__isnull=True)
    for release in rows.filter(phase=ReleasePhase.READY):
        current = release
        if process_of(release) is None:
            logger.error("stable %s died; it is started again", release.pk)
            release_start(release.pk)
            current = release_wait(release.pk, _RESTART_WAIT_S)
        if current.phase == ReleasePhase.READY and _gateway_stable() != current.port:
            stable_route(current)


def _gateway_stable() -> int | None:
    try:
        return gateway_open().observed().stable_port
    except GatewayDown:
        return None


def _drained_ends() -> None:
    rows = Release.objects.filter(drain_until__lt=clock.now(), phase=ReleasePhase.READY)
    for release_id in rows.values_list("pk", flat=True):
        release_stop(release_id, "replaced, and its requests are finished")


def _dead_letters() -> None:
    """A rollout that five looks in a row could not handle goes back: nobody stays on what nobody watches."""
    for rollout in leases.dead_letters(Rollout.objects.filter(finished_at__isnull=True)):
        with transaction.atomic():
            Rollout.objects.filter(pk=rollout.pk).update(attempts=0)
        rollout_take_back(rollout.pk, reason="the controller failed five times in a row")
