"""Proposals and where they come from."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console.admin.base import HistoryInline, NoBulkDeleteMixin, ReadOnlyMixin, TypedModelAdmin
from console.site import owner_site
from research.models import Proposal, ProposalTransition, ResearchRun, Source, SourceItem
from research.phases import PROPOSAL, Phase
from research.text import safe_url


class ProposalLines(HistoryInline):
    model = ProposalTransition


@admin.register(Proposal, site=owner_site)
class ProposalAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Proposal]):
    list_display = ["score", "title", "phase", "source", "created_at"]
    list_display_links = ["title"]
    list_filter = ["phase"]
    list_select_related = ["item__source", "run"]
    search_fields = ["id", "title"]
    ordering = ["-created_at", "-score"]
    fields = ["title", "summary", "evidence_links", "rubric", "score", "phase", "decide", "created_at"]
    readonly_fields = ["evidence_links", "rubric", "decide"]
    inlines = [ProposalLines]

    @admin.display(description="Source")
    def source(self, proposal: Proposal) -> str:
        return str(proposal.item.source)

    @admin.display(description="Evidence")
    def evidence_links(self, proposal: Proposal) -> SafeString:
        return format_html_join("", '<p><a rel="noreferrer" href="{}">{}</a></p>', _links(proposal))

    @admin.display(description="Why this score")
    def rubric(self, proposal: Proposal) -> SafeString:
        rows = (
            (name, f"{part['value'] * part['weight']:.0f} of {part['weight']:.0f}", part["why"])
            for name, part in proposal.scores.items()
        )
        return format_html_join("", "<p><b>{}</b> {}: {}</p>", rows)

    @admin.display(description="Your word")
    def decide(self, proposal: Proposal) -> SafeString:
        buttons = [
            (reverse("admin:act", args=[name, proposal.pk]), style, label)
            for name, to, style, label in (
                ("approve_proposal", Phase.APPROVED, "", "Approve"),
                ("reject_proposal", Phase.REJECTED, "k-plain", "Reject"),
            )
            if PROPOSAL.allows(proposal.phase, to)
        ]
        if not buttons:
            return format_html("{}", "Decided.")
        links = format_html_join(
            "", '<a class="k-button {}" href="{}">{}</a>', ((s, u, t) for u, s, t in buttons)
        )
        return format_html('<span class="k-acts">{}</span>', links)


def _links(proposal: Proposal) -> list[tuple[str, str]]:
    links = []
    for piece in proposal.evidence:
        if piece["kind"] == "incident":
            links.append((reverse("admin:incident", args=[piece["id"]]), f"Incident: {piece['title']}"))
        elif (url := safe_url(piece["url"])) is not None:
            links.append((url, piece["title"]))
    return links


@admin.register(Source, site=owner_site)
class SourceAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Source]):
    list_display = ["title", "url", "checked_at", "failures", "last_error"]


@admin.register(SourceItem, site=owner_site)
class SourceItemAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[SourceItem]):
    list_display = ["title", "source", "published_at", "found_at"]
    list_select_related = ["source"]
    search_fields = ["title", "url"]
    exclude = ["url_key"]
    show_full_result_count = False


@admin.register(ResearchRun, site=owner_site)
class ResearchRunAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[ResearchRun]):
    list_display = ["date", "state", "note", "started_at", "finished_at"]
    exclude = ["lease_token"]
