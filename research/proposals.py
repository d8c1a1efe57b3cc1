"""From found articles to scored proposals."""

from dataclasses import dataclass
from typing import Any

from core import clock
from research.models import Proposal, ResearchRun, SourceItem
from research.relevance import Relevance, Trouble, relevance, words_of
from research.scoring import Score, score
from research.selectors import items_unproposed, proposal_words, troubles_observed

PER_MORNING = 10
EVIDENCE_INCIDENTS = 5


@dataclass(frozen=True)
class Candidate:
    item: SourceItem
    found: Relevance
    score: Score


def proposals_make(run: ResearchRun) -> list[Proposal]:
    """Writes the best candidates as proposals of this run, at most PER_MORNING in all.

    An article that bears on nothing observed is proposed only when nothing better was found.
    """
    room = PER_MORNING - run.proposals.count()
    return [_propose(run, candidate) for candidate in _best(candidates(), room)]


def candidates() -> list[Candidate]:
    """Every unproposed article with its score, best first, equal scores by address."""
    troubles, earlier, now = troubles_observed(), proposal_words(), clock.now()
    scored = [_judge(item, troubles, earlier, now) for item in items_unproposed()]
    return sorted(scored, key=lambda c: (-c.score.total, c.item.url_key))


def _best(ranked: list[Candidate], room: int) -> list[Candidate]:
    relevant = [candidate for candidate in ranked if candidate.found.troubles]
    return (relevant or ranked[:1])[: max(0, room)]


def _judge(item: SourceItem, troubles: list[Trouble], earlier: list[frozenset[str]], now: Any) -> Candidate:
    text = f"{item.title} {item.summary}"
    found = relevance(text, troubles)
    marks = score(text=text, found=found, published_at=item.published_at, now=now, earlier=earlier)
    return Candidate(item, found, marks)


def _propose(run: ResearchRun, candidate: Candidate) -> Proposal:
    item, found = candidate.item, candidate.found
    evidence: list[dict[str, str]] = [{"kind": "article", "title": item.title, "url": item.url}]
    for trouble in found.troubles[:EVIDENCE_INCIDENTS]:
        evidence.append({"kind": "incident", "title": trouble.title, "id": trouble.id})
    proposal, _ = Proposal.objects.get_or_create(
        item=item,
        defaults={
            "run": run,
            "title": item.title,
            "summary": _summary(candidate),
            "evidence": evidence,
            "scores": candidate.score.as_json(),
            "score": candidate.score.total,
        },
    )
    return proposal


def _summary(candidate: Candidate) -> str:
    found = candidate.found
    if not found.troubles:
        return f"{candidate.item.source} published this. It bears on none of the incidents of the last month."
    kinds = sorted({trouble.kind.replace("_", " ").lower() for trouble in found.troubles})
    common = words_of(candidate.item.title) & set(found.words)
    topic = f", above all about {', '.join(sorted(common))}" if common else ""
    return (
        f"{candidate.item.source} published this. It bears on {len(found.troubles)} of your incidents "
        f"({', '.join(kinds)}){topic}."
    )
