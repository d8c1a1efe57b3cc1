"""What a move means for the incident, its users and the owner. Runs in the transaction of the move, so that
nobody is told twice and nobody is forgotten.
"""

from collections.abc import Mapping
from typing import Any

from flags.phases import LIVE, RolloutPhase
from flags.selectors import release_cookie
from healing import outcomes as o
from healing.models import HealRun
from healing.patterns.library import pattern_demote, pattern_extract, pattern_used
from healing.phases import Phase
from healing.routing import Move
from healing.selectors import audience_of, subjects_left
from incidents.phases import Status
from incidents.services import incident_ask, incident_move, incident_tell
from notifications.messages import Stage
from notifications.services import owner_alert

# The incident's status and what users are told when a run enters a phase.
NEWS: Mapping[Phase, tuple[Status | None, Stage | None, float | None]] = {
    Phase.TRIAGING: (Status.DIAGNOSING, Stage.DIAGNOSING, 0.1),
    Phase.DIAGNOSING: (Status.DIAGNOSING, None, None),
    Phase.REMEDIATING: (Status.FIXING, Stage.FIXING, 0.6),
    Phase.REPRODUCING: (Status.FIXING, Stage.ROOT_CAUSE_FOUND, 0.3),
    Phase.REPAIRING: (Status.FIXING, Stage.FIXING, 0.5),
    Phase.VERIFYING: (Status.VERIFYING, Stage.VERIFYING, 0.7),
    Phase.AWAITING_OWNER: (Status.AWAITING_OWNER, Stage.ESCALATED, None),
    Phase.ROLLING_OUT: (None, None, None),
    Phase.ROLLED_BACK: (Status.ESCALATED, Stage.ROLLED_BACK, None),
    Phase.REJECTED: (Status.ESCALATED, Stage.ESCALATED, None),
    Phase.GAVE_UP: (Status.ESCALATED, Stage.ESCALATED, None),
}


def tell_moved(run: HealRun, move: Move, outcome: o.Outcome | None) -> None:
    """Called once for each move that this worker made; `run` is as it was before the move."""
    if move.to is None:
        return
    if run.incident_id is not None:
        _tell_incident(run.incident_id, run, move, outcome)
    _tell_owner(run, move, outcome)


def tell_stayed(run: HealRun, outcome: o.Outcome) -> None:
    """News without a move of the run: the rollout's phases, the lesson learned."""
    if isinstance(outcome, o.RolloutMoving):
        _tell_rollout(run, outcome)
    if isinstance(outcome, o.Learned):
        _keep_lesson(run, outcome)


def _tell_incident(incident_id: str, run: HealRun, move: Move, outcome: o.Outcome | None) -> None:
    if move.to == Phase.NEEDS_INPUT:
        incident_ask(incident_id, move.detail["question"])
        return
    if move.to == Phase.SETTLED:
        _tell_settled(incident_id, run, move, outcome)
        return
    assert move.to is not None
    status, stage, progress = NEWS[move.to]
    if status is not None:
        incident_move(incident_id, status, reason=move.reason, detail={"run": run.pk})
    only = audience_of(incident_id, run)
    if isinstance(outcome, o.Diagnosis) and move.to == Phase.REMEDIATING:
        incident_tell(incident_id, Stage.ROOT_CAUSE_FOUND, progress=0.4, only=only)
    if stage is None:
        return
    release: dict[str, Any] = {"release": None} if stage == Stage.ROLLED_BACK else {}
    incident_tell(incident_id, stage, progress=progress, only=only, **release)


def _tell_settled(incident_id: str, run: HealRun, move: Move, outcome: o.Outcome | None) -> None:
    if isinstance(outcome, o.RunbookHeld):
        # The invariant was judged for this user alone: whoever else has the trouble gets a run of their own.
        left = subjects_left(run.incident, without=run.subject) if run.incident else []
        status = Status.DIAGNOSING if left else Status.RESOLVED
        incident_move(incident_id, status, reason=move.reason, detail={"run": run.pk, "left": len(left)})
        incident_tell(incident_id, Stage.RESOLVED, ask_rating=True, only=[run.subject])
        return
    incident_move(incident_id, Status.RESOLVED, reason=move.reason, detail={"run": run.pk})
    incident_tell(
        incident_id, Stage.RESOLVED, ask_rating=True, release=None, only=audience_of(incident_id, run)
    )


def _tell_rollout(run: HealRun, outcome: o.RolloutMoving) -> None:
    """The rollout moved. This user hears "fixed" once the candidate serves this user, and not before."""
    phase = RolloutPhase(outcome.rollout_phase)
    if run.incident_id is None or phase not in LIVE:
        return
    if run.rollout_phase != phase:
        reason = f"the candidate is live ({phase.label.lower()})"
        incident_move(run.incident_id, Status.DEPLOYED, reason=reason, detail={"rollout": outcome.rollout_id})
    cookie = release_cookie(outcome.rollout_id, run.subject)
    if cookie is not None and outcome.serves_user and not run.user_served:
        incident_tell(run.incident_id, Stage.RESOLVED, release=cookie, ask_rating=True, only=[run.subject])


def _tell_owner(run: HealRun, move: Move, outcome: o.Outcome | None) -> None:
    url = f"/console/healing/healrun/{run.pk}/change/"
    what = run.incident.title if run.incident else run.brief[:80]
    if move.to == Phase.AWAITING_OWNER:
        owner_alert(
            priority="P2",
            key=f"run:{run.pk}:owner",
            title=f"Your decision: {what}",
            body=move.reason,
            url=url,
        )
    elif move.to == Phase.GAVE_UP:
        stuck = isinstance(outcome, o.RunbookUndone) and not outcome.undone
        severity = run.incident.severity if run.incident else "P3"
        priority = "P0" if stuck else severity
        owner_alert(
            priority=priority,
            key=f"run:{run.pk}:gave_up",
            title=f"Needs you: {what}",
            body=move.reason,
            url=url,
        )
    elif move.to == Phase.ROLLED_BACK:
        owner_alert(
            priority="P1",
            key=f"run:{run.pk}:rolled_back",
            title=f"Taken back: {what}",
            body=move.reason,
            url=url,
        )
        if run.pattern_id:
            pattern_demote(run.pattern_id, move.reason)


def _keep_lesson(run: HealRun, outcome: o.Learned) -> None:
    if outcome.pattern_id and run.state in (Phase.SETTLED, Phase.ROLLED_BACK, Phase.GAVE_UP):
        pattern_used(outcome.pattern_id, success=run.state == Phase.SETTLED)
    if outcome.lesson is not None:
        pattern = pattern_extract(run, outcome.lesson, {"run": run.pk, **dict(outcome.score)}, outcome.title)
        if outcome.pattern_id is None:
            HealRun.objects.filter(pk=run.pk).update(pattern=pattern)
            pattern_used(pattern.pk, success=True)
