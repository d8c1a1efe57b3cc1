"""The morning's research, and the owner's word on a proposal."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction

from core import clock, leases
from core.errors import NotFound, Refused
from core.transitions import move
from notifications.services import owner_alert
from research.fetch import FetchFailed, fetch_changed
from research.models import Proposal, ProposalTransition, ResearchRun, RunState, Source, SourceItem
from research.phases import PROPOSAL, Phase
from research.proposals import proposals_make
from research.sources.atom import FoundItem, feed_parse
from research.text import url_key

LEASE_S = 600


def local_date(at: datetime | None = None) -> date:
    return (at or clock.now()).astimezone(ZoneInfo(settings.OWNER_TIME_ZONE)).date()


def research_run(*, day: date | None = None) -> ResearchRun:
    """Does this day's research, or what is left of it; a finished day is returned as it is.

    Safe to call twice, by two workers, after a crash: the day is one row, a lease decides who works, each
    source's result is stored before the next is asked, and an article is stored and proposed once.
    """
    run, _ = ResearchRun.objects.get_or_create(date=day or local_date())
    if run.state == RunState.FINISHED:
        return run
    token = leases.claim(ResearchRun.objects.all(), run.pk, LEASE_S)
    if token is None:
        return run
    try:
        for url in settings.RESEARCH_FEEDS:
            if not run.sources.get(url, {}).get("ok"):
                _source_read(run, url)
                leases.renew(ResearchRun.objects.all(), run.pk, token, LEASE_S)
        _conclude(run)
    finally:
        leases.release(ResearchRun.objects.all(), run.pk, token, done=bool(run.finished_at))
    return run


def proposal_approve(*, proposal_id: str, actor: str, reason: str = "") -> Proposal:
    """The owner wants it. Raises Refused when it was decided already."""
    return _decide(proposal_id, [Phase.PROPOSED, Phase.FAILED], Phase.APPROVED, actor, reason)


def proposal_reject(*, proposal_id: str, actor: str, reason: str = "") -> Proposal:
    sources = [Phase.PROPOSED, Phase.APPROVED, Phase.SCHEDULED, Phase.FAILED]
    return _decide(proposal_id, sources, Phase.REJECTED, actor, reason)


def _decide(proposal_id: str, sources: list[Phase], to: Phase, actor: str, reason: str) -> Proposal:
    won = move(
        Proposal,
        proposal_id,
        PROPOSAL,
        history=ProposalTransition,
        from_=sources,
        to=to,
        reason=reason or f"{to.label} by the owner",
        actor=actor,
    )
    proposal = Proposal.objects.filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("There is no such proposal.")
    if not won:
        raise Refused(f"This proposal is {proposal.phase} already, so it can't become {to}.")
    return proposal


def _source_read(run: ResearchRun, url: str) -> None:
    """Reads one source and stores what is new, and in the same transaction that it was read."""
    source, _ = Source.objects.get_or_create(url=url)
    try:
        fetched = fetch_changed(url, etag=source.etag, last_modified=source.last_modified)
        feed = feed_parse(fetched.body) if fetched.body is not None else None
    except FetchFailed as error:
        source.failures += 1
        source.last_error, source.checked_at = error.message[:500], clock.now()
        source.save(update_fields=["failures", "last_error", "checked_at"])
        run.sources[url] = {"ok": False, "new": 0, "error": error.message}
        run.save(update_fields=["sources"])
        return
    with transaction.atomic():
        new = sum(_item_store(source, item) for item in feed.items) if feed else 0
        source.title = feed.title if feed else source.title
        source.etag, source.last_modified = fetched.etag, fetched.last_modified
        source.failures, source.last_error, source.checked_at = 0, "", clock.now()
        source.save()
        run.sources[url] = {"ok": True, "new": new, "error": ""}
        run.save(update_fields=["sources"])


def _item_store(source: Source, item: FoundItem) -> bool:
    """True when the article is new to us, from whichever source."""
    values = {"title": item.title, "summary": item.summary, "published_at": item.published_at}
    try:
        with transaction.atomic():
            _, created = SourceItem.objects.get_or_create(
                url_key=url_key(item.url), defaults={"source": source, "url": item.url, **values}
            )
    except IntegrityError:  # another run stored it between our look and our write
        return False
    return created


def _conclude(run: ResearchRun) -> None:
    failed = {url: result["error"] for url, result in run.sources.items() if not result["ok"]}
    with transaction.atomic():
        made = proposals_make(run)
        run.state = RunState.PARTIAL if failed else RunState.FINISHED
        run.finished_at = clock.now()
        run.note = _note(len(run.sources), len(failed), run.proposals.count())
        run.save(update_fields=["state", "finished_at", "note"])
        if made:
            owner_alert(
                priority="P3",
                key=f"research:{run.date}",
                title=f"{len(made)} proposal{'s' * (len(made) != 1)} this morning",
                body="\n".join(f"{p.score:.0f}  {p.title}" for p in made),
                url="/console/research/proposal/?phase__exact=proposed",
            )
        if failed:
            owner_alert(
                priority="P2",
                key=f"research-source:{run.date}",
                title=f"{len(failed)} of {len(run.sources)} research sources failed",
                body="\n".join(f"{url}: {error}" for url, error in failed.items()),
                url="/console/research/source/",
            )


def _note(sources: int, failed: int, proposals: int) -> str:
    if not sources:
        return "No sources are configured: set KRIPTIK_RESEARCH_FEEDS to Atom or RSS addresses."
    return f"{sources - failed} of {sources} sources answered; {proposals} proposals."
