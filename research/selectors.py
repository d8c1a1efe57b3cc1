"""What research reads of the incidents, and what others read of research."""

from datetime import timedelta

from django.db.models import QuerySet

from core import clock
from incidents.models import Incident
from research.models import Proposal, SourceItem
from research.phases import Phase
from research.relevance import Trouble, words_of

LOOK_BACK = timedelta(days=30)
MAX_TROUBLES = 500
MAX_EARLIER = 500
CANDIDATE_AGE = timedelta(days=45)
MAX_CANDIDATES = 400


def troubles_observed() -> list[Trouble]:
    """The incidents of the last month, the latest first; our own titles, not the visitors' words."""
    rows = Incident.objects.filter(last_seen__gte=clock.now() - LOOK_BACK).order_by("-last_seen")
    return [
        Trouble(
            id=incident.pk,
            title=incident.title,
            kind=incident.kind,
            severity=incident.severity,
            reports=incident.report_count,
            words=words_of(f"{incident.title} {incident.route}"),
        )
        for incident in rows[:MAX_TROUBLES]
    ]


def items_unproposed() -> list[SourceItem]:
    """What was found lately and never proposed."""
    rows = SourceItem.objects.filter(proposal=None, found_at__gte=clock.now() - CANDIDATE_AGE)
    return list(rows.select_related("source")[:MAX_CANDIDATES])


def proposal_words() -> list[frozenset[str]]:
    """The words of earlier proposals, rejected ones too: the same idea again is not new."""
    rows = Proposal.objects.order_by("-created_at").values_list("title", "item__summary")
    return [words_of(f"{title} {summary}") for title, summary in rows[:MAX_EARLIER]]


def proposals_open() -> QuerySet[Proposal]:
    return Proposal.objects.filter(phase=Phase.PROPOSED).order_by("-score")
