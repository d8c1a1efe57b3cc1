"""The home page: what is wrong now, what is being done about it, and what waits for the owner.

Every part reads a bounded number of rows through an index, so the page costs the same on a bad day.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count

from console.kill import kill_switch_now
from core import clock, leases
from flags.models import Rollout
from flags.phases import RolloutPhase
from healing.models import HealRun
from healing.phases import Phase
from incidents.models import Incident
from incidents.phases import Status
from notifications.selectors import alerts_unread, deliveries_dead
from research.selectors import proposals_open

OPEN = [status for status in Status if status not in {Status.RESOLVED, Status.DISMISSED}]
SHOWN = 12
FIGURES_OVER = timedelta(hours=24)
MAX_RUNS_SAMPLED = 5000  # for the median and the rungs; the counts are of all


@dataclass(frozen=True)
class Waiting:
    """One thing that goes on only when the owner acts."""

    icon: str
    title: str
    detail: str
    url: str
    since: datetime | None = None


@dataclass(frozen=True)
class Figures:
    """The last 24 hours. `median_s` is None when nothing was healed."""

    detected: int
    healed: int
    gave_up: int
    by_rung: list[tuple[str, int]]
    median_s: float | None


@dataclass(frozen=True)
class Moving:
    """A rollout with its clock."""

    rollout: Rollout
    share: int  # of the phase's time, 0..100
    left_s: int | None


def home_context() -> dict[str, Any]:
    counts = _open_counts()
    rollouts = _rollouts()
    runs = list(HealRun.objects.live().select_related("incident", "host").order_by("-created_at")[:SHOWN])
    dead = _dead_letters()
    return {
        "severities": [(level, counts["severity"].get(level, 0)) for level in ("P0", "P1", "P2", "P3")],
        "open_count": sum(counts["severity"].values()),
        "incidents": _open_incidents(),
        "runs": [run for run in runs if run.phase != Phase.AWAITING_OWNER],
        "rollouts": [_moving(rollout) for rollout in rollouts],
        "waiting": _waiting(runs, rollouts, dead),
        "alerts": list(alerts_unread()[:5]),
        "alert_count": alerts_unread().count(),
        "proposals": list(proposals_open().select_related("item__source")[:5]),
        "figures": figures(),
        "kill_switch": kill_switch_now(),
        "now": clock.now(),
    }


def figures() -> Figures:
    since = clock.now() - FIGURES_OVER
    # opened_at has no index; nothing that opened since then was last seen before.
    detected = Incident.objects.filter(last_seen__gte=since, opened_at__gte=since).count()
    ended = HealRun.objects.filter(
        phase__in=[Phase.SETTLED, Phase.GAVE_UP, Phase.ROLLED_BACK], created_at__gte=since
    )
    counts = Counter(dict(ended.order_by().values_list("phase").annotate(n=Count("pk"))))
    newest = ended.filter(phase=Phase.SETTLED, finished_at__isnull=False).order_by("-created_at")
    sample = list(newest.values_list("remedy", "created_at", "finished_at")[:MAX_RUNS_SAMPLED])
    seconds = [(finished - created).total_seconds() for _, created, finished in sample if finished]
    rungs = Counter(str(remedy.get("rung") or "unknown").replace("_", " ") for remedy, _, _ in sample)
    return Figures(
        detected=detected,
        healed=counts[Phase.SETTLED],
        gave_up=counts[Phase.GAVE_UP] + counts[Phase.ROLLED_BACK],
        by_rung=rungs.most_common(),
        median_s=median(seconds) if seconds else None,
    )


def _open_counts() -> dict[str, Counter[str]]:
    rows = Incident.objects.filter(status__in=OPEN).values_list("severity").annotate(n=Count("pk"))
    return {"severity": Counter(dict(rows.order_by()))}


def _open_incidents() -> list[Incident]:
    rows = Incident.objects.filter(status__in=OPEN).select_related("host")
    return list(rows.order_by("severity", "-last_seen")[:SHOWN])


def _rollouts() -> list[Rollout]:
    rows = Rollout.objects.filter(finished_at=None).select_related("host", "release")
    return list(rows.order_by("-created_at")[:SHOWN])


def _moving(rollout: Rollout) -> Moving:
    if rollout.deadline is None:
        return Moving(rollout, 0, None)
    now = clock.now()
    total = max((rollout.deadline - rollout.since).total_seconds(), 1)
    left = (rollout.deadline - now).total_seconds()
    return Moving(rollout, round(100 * min(1.0, max(0.0, 1 - left / total))), max(0, round(left)))


def _dead_letters() -> list[Waiting]:
    runs = leases.dead_letters(HealRun.objects.live()).count()
    rollouts = leases.dead_letters(Rollout.objects.filter(finished_at=None)).count()
    mails = deliveries_dead().count()
    found = [
        (runs, "heal run", "failed five times in the same step", "/console/healing/healrun/?dead=1"),
        (rollouts, "rollout", "could not be moved in five attempts", "/console/flags/rollout/"),
        (mails, "alert", "could not be delivered", "/console/notifications/delivery/?dead=1"),
    ]
    return [
        Waiting("mark_email_unread", f"{count} {noun}{'s' * (count != 1)}", why, url)
        for count, noun, why, url in found
        if count
    ]


def _waiting(runs: list[HealRun], rollouts: list[Rollout], dead: list[Waiting]) -> list[Waiting]:
    approvals = [
        Waiting(
            "approval",
            run.incident.title if run.incident else run.brief[:200],
            run.outcome or "A fix is ready for your decision",
            f"/console/incident/{run.incident_id}/" if run.incident_id else "/console/healing/healrun/",
            run.created_at,
        )
        for run in runs
        if run.phase == Phase.AWAITING_OWNER
    ]
    held = [
        Waiting(
            "pause_circle",
            "Rollout held",
            rollout.reason,
            f"/console/flags/rollout/{rollout.pk}/change/",
            rollout.since,
        )
        for rollout in rollouts
        if rollout.phase == RolloutPhase.HELD
    ]
    return approvals + held + dead
