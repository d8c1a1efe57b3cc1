"""Everything that others read of this app."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from core import leases
from healing.models import HealRun
from healing.phases import LIVE, Phase
from incidents.models import Feedback, FeedbackKind, Incident, Report
from incidents.phases import Status
from incidents.selectors import subjects_of_incident


def live_run_of(incident_id: str) -> HealRun | None:
    return HealRun.objects.filter(incident_id=incident_id, phase__in=LIVE).first()


def runs_of_incident(incident_id: str) -> QuerySet[HealRun]:
    """Newest first."""
    return HealRun.objects.filter(incident_id=incident_id).order_by("-created_at")


def runs_due(limit: int) -> list[str]:
    """Ids of runs that a worker may take up now, the longest waiting first."""
    return list(HealRun.objects.all().due().order_by("run_after").values_list("pk", flat=True)[:limit])


def runs_dead() -> list[str]:
    return list(
        leases.dead_letters(HealRun.objects.filter(learned_at__isnull=True)).values_list("pk", flat=True)
    )


def incidents_missed(limit: int) -> list[str]:
    """Open incidents that nobody works on: their signal was lost, a cap was full, or a user is left."""
    runs = HealRun.objects.filter(incident=OuterRef("pk"), created_at__gte=OuterRef("opened_at"))
    fresh = Q(status=Status.DETECTED) & ~Exists(runs)
    left = Q(status=Status.DIAGNOSING) & ~Exists(runs.filter(phase__in=LIVE))
    rows = Incident.objects.filter(fresh | left, host__killed=False)
    return list(rows.order_by("severity", "opened_at").values_list("pk", flat=True)[:limit])


def subjects_left(incident: Incident, *, without: str = "") -> list[str]:
    """Verified users of this occurrence whom no run has helped or tried to help yet."""
    served = HealRun.objects.filter(incident=incident, created_at__gte=incident.opened_at).values("subject")
    rows = Report.objects.filter(incident=incident, verified=True, received_at__gte=incident.opened_at)
    rows = rows.exclude(subject__in=served).exclude(subject=without)
    return list(dict.fromkeys(rows.order_by("received_at").values_list("subject", flat=True)))


def audience_of(incident_id: str, run: HealRun) -> list[str]:
    """The affected users whom a run's news concerns: all but those whom an earlier run has helped."""
    helped = HealRun.objects.filter(incident_id=incident_id, phase=Phase.SETTLED).exclude(pk=run.pk)
    if run.incident is not None:
        helped = helped.filter(created_at__gte=run.incident.opened_at)
    done = set(helped.values_list("subject", flat=True))
    return [subject for subject in subjects_of_incident(incident_id) if subject not in done]


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
