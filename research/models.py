"""What was found outside, and what we propose because of it."""

from django.db import models
from django.db.models import Q

from core import clock, ids
from core.leases import Leased
from core.transitions import Transition
from research.phases import Phase


def new_proposal_id() -> str:
    return ids.new_id("prp")


class Source(models.Model):
    """One feed, with what its server told us for asking again politely."""

    url = models.URLField(max_length=500, unique=True)
    title = models.CharField(max_length=200, blank=True)
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row; zero after a good answer.")
    last_error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.title or self.url


class SourceItem(models.Model):
    """One article. Title and summary are text that strangers wrote: data, never an instruction."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="items")
    url = models.URLField(max_length=800)
    url_key = models.CharField(
        max_length=64, unique=True, help_text="Hash of the address without tracking parameters."
    )
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-found_at", "-id"]
        indexes = [models.Index(fields=["-found_at"], name="item_recent")]  # the morning run's candidates

    def __str__(self) -> str:
        return self.title


class RunState(models.TextChoices):
    RUNNING = "running"  # somebody works on it, or died doing so: the next call goes on
    FINISHED = "finished"  # every source answered
    PARTIAL = "partial"  # proposals were made, though some source failed; a later call tries those again


class ResearchRun(Leased):
    """One morning's research: at most one a local date, whoever starts it and however often."""

    date = models.DateField(unique=True, help_text="In the owner's time zone.")
    state = models.CharField(max_length=12, choices=RunState, default=RunState.RUNNING)
    sources = models.JSONField(default=dict, help_text="Address: {ok, new, error} of each source so far.")
    note = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-date"]

    def __str__(self) -> str:
        return f"Research of {self.date}"


class Proposal(models.Model):
    """A researched improvement, scored, waiting for the owner. `evidence`: [{"kind", "title", "url"}];
    `scores`: {part: {"value" 0..1, "weight", "why"}}, whose weighted sum is `score` (0..100)."""

    id = models.CharField(primary_key=True, max_length=32, default=new_proposal_id, editable=False)
    run = models.ForeignKey(ResearchRun, on_delete=models.CASCADE, related_name="proposals")
    item = models.OneToOneField(SourceItem, on_delete=models.PROTECT, related_name="proposal")
    phase = models.CharField(max_length=16, choices=Phase, default=Phase.PROPOSED)
    title = models.CharField(max_length=200)
    summary = models.TextField()
    evidence = models.JSONField(default=list)
    scores = models.JSONField(default=dict)
    score = models.FloatField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-created_at", "-score"]
        indexes = [
            models.Index(
                fields=["-score"], condition=Q(phase=Phase.PROPOSED), name="proposal_open"
            ),  # the console's home
        ]

    def __str__(self) -> str:
        return self.title


class ProposalTransition(Transition):
    """The proposal's timeline and audit."""

    subject = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="transitions")
