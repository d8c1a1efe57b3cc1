"""The worker's interface: ids in, one call, and what happens when it runs twice."""

import logging
import time
from typing import Any

from celery import shared_task

from core.errors import KriptikError
from healing import limits
from healing.models import HealRun
from healing.phases import Phase
from healing.replay import replay_answer
from healing.runner import advance, bury_dead
from healing.selectors import incidents_missed, runs_dead, runs_due
from healing.services import run_answered, run_open

log = logging.getLogger("healing")

SHORT_PAUSE_S = 1.0
SANDBOXED = frozenset({Phase.REPRODUCING, Phase.REPAIRING, Phase.VERIFYING})
STEP_LIMIT_S = 900  # longer than the longest step; a stuck one is killed and its lease runs out


@shared_task(name="healing.advance", time_limit=STEP_LIMIT_S)
def heal_advance(run_id: str, **_: Any) -> None:
    """One step, then the next call. Twice at once: the second finds the lease taken and ends.

    A short pause is sat out here, a long one is left to the sweep: an ETA message longer than the broker's
    visibility timeout is delivered several times.
    """
    again = advance(run_id)
    if again is not None and again <= SHORT_PAUSE_S:
        time.sleep(again)
        heal_hint(run_id)


def heal_hint(run_id: str) -> None:
    """Sends the run to a worker. Steps that hold a sandbox for minutes have a queue of their own: a user
    whose remedy takes a second must not wait behind them.
    """
    phase = HealRun.objects.filter(pk=run_id).values_list("phase", flat=True).first()
    heal_advance.apply_async((run_id,), queue="sandbox" if phase in SANDBOXED else "heal")


@shared_task(name="healing.open", time_limit=60)
def heal_open(incident_id: str, **_: Any) -> None:
    """Opens the incident's run. Twice: there is one live run per incident."""
    try:
        run = run_open(incident_id)
    except KriptikError as error:
        log.info("incident %s: %s", incident_id, error.message)
        return
    heal_hint(run.pk)


@shared_task(name="healing.answered", time_limit=60)
def heal_answered(incident_id: str, **_: Any) -> None:
    """Takes up the answer to the run's question. Twice: the second finds the run moved on."""
    for run_id in HealRun.objects.filter(incident_id=incident_id, phase=Phase.NEEDS_INPUT).values_list(
        "pk", flat=True
    ):
        if run_answered(run_id):
            heal_hint(run_id)


@shared_task(name="healing.replay", time_limit=STEP_LIMIT_S)
def heal_replay(rollout_id: str, **_: Any) -> None:
    """Replays the journey on the candidate's tree. Twice: two answers to one question, and they agree."""
    replay_answer(rollout_id)


@shared_task(name="healing.sweep", time_limit=60)
def heal_sweep(**_: Any) -> None:
    """Finds what lost messages and dead workers left behind. Twice at once: only more hints."""
    for run_id in runs_dead():
        bury_dead(run_id)
    for incident_id in incidents_missed(limits.SWEEP_BATCH):
        heal_open.delay(incident_id)
    for run_id in HealRun.objects.filter(phase=Phase.NEEDS_INPUT).values_list("pk", flat=True):
        if run_answered(run_id):
            heal_hint(run_id)
    for run_id in runs_due(limits.SWEEP_BATCH):
        heal_hint(run_id)
