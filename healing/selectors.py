"""Everything that others read of this app."""

from django.db.models import Exists, OuterRef, QuerySet

from core import leases
from healing.models import HealRun
from healing.phases import LIVE
from incidents.models import Feedback, FeedbackKind, Incident
from incidents.phases import Status


def live_run_of(incident_id: str) -> HealRun | None:
    return HealRun.objects.filter(incident_id=incident_id, phase__in=LIVE).first()


def runs_of_incident(incident_id: str) -> QuerySet[HealRun]:
    """Newest first, with what the incident page shows."""
    return (
        HealRun.objects.filter(incident_id=incident_id)
        .select_related("fix", "pattern")
        .order_by("-created_at")
    )


def runs_due(limit: int) -> list[str]:
    """Ids of runs that a worker may take up now, the longest waiting first."""
    return list(HealRun.objects.all().due().order_by("run_after").values_list("pk", flat=True)[:limit])


def runs_dead() -> list[str]:
    return list(
        leases.dead_letters(HealRun.objects.filter(learned_at__isnull=True)).values_list("pk", flat=True)
    )


def incidents_missed(limit: int) -> list[str]:
    """Open incidents that no run was made for: their signal was lost, or a cap was full."""
    runs = HealRun.objects.filter(incident=OuterRef("pk"), created_at__gte=OuterRef("opened_at"))
    rows = Incident.objects.filter(status=Status.DETECTED, host__killed=False)
    return list(
        rows.filter(~Exists(runs)).order_by("severity", "opened_at").values_list("pk", flat=True)[:limit]
    )


def answer_given(run: HealRun) -> str | None:
    """The choice that the affected user made on the run's open question ("" for free text alone), or None."""
    question = run.answer.get("question")
    asked = run.transitions.filter(to_phase="needs_input").order_by("-at").first()
    if not question or asked is None:
        return None
    rows = Feedback.objects.filter(
        incident_id=run.incident_id,
        kind=FeedbackKind.ANSWER,
        question=question,
        subject=run.subject,
        at__gte=asked.at,
    )
    return rows.order_by("-at").values_list("choice", flat=True).first()
