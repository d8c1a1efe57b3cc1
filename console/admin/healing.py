"""Runs, fixes and patterns."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from console.admin.base import (
    HistoryInline,
    NoBulkDeleteMixin,
    ReadOnlyInline,
    ReadOnlyMixin,
    TypedModelAdmin,
    audited,
)
from console.site import owner_site
from core import clock, leases
from healing.models import Fix, HealRun, Pattern, PatternState, RunTransition, Verification


class DeadFilter(admin.SimpleListFilter):
    title = "dead letters"
    parameter_name = "dead"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Used up their attempts")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return leases.dead_letters(queryset) if self.value() == "1" else queryset


class RunLines(HistoryInline):
    model = RunTransition


class VerificationInline(ReadOnlyInline):
    model = Verification
    fields = ["verdict", "reason", "arms", "p_value", "seconds"]


@admin.register(HealRun, site=owner_site)
class HealRunAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[HealRun]):
    list_display = ["id", "incident", "host", "origin", "phase", "attempts", "created_at", "finished_at"]
    list_filter = [DeadFilter, "phase", "origin", "host"]
    list_select_related = ["incident", "host"]
    search_fields = ["id", "incident__id", "user"]
    ordering = ["-created_at"]
    exclude = ["lease_token"]
    show_full_result_count = False
    inlines = [RunLines]
    actions = ["try_again"]

    @admin.action(description="Give these runs new attempts")
    def try_again(self, request: HttpRequest, queryset: QuerySet[HealRun]) -> None:
        for run in leases.dead_letters(queryset.live()):  # type: ignore[attr-defined]
            HealRun.objects.filter(pk=run.pk, lease_token="").update(attempts=0, run_after=clock.now())
            audited(request, "run.retried", run.pk)


@admin.register(Fix, site=owner_site)
class FixAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Fix]):
    list_display = ["id", "run", "number", "template", "tree_hash", "refused", "at"]
    list_select_related = ["run"]
    search_fields = ["id", "run__id", "commit", "tree_hash"]
    ordering = ["-at"]
    inlines = [VerificationInline]


@admin.register(Pattern, site=owner_site)
class PatternAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Pattern]):
    list_display = ["title", "host", "state", "pinned", "uses", "successes", "failures", "updated_at"]
    list_filter = ["state", "pinned", "host"]
    list_select_related = ["host"]
    search_fields = ["id", "title"]
    ordering = ["-updated_at"]
    actions = ["pin", "retire"]

    @admin.action(description="Pin: never retired by the machine")
    def pin(self, request: HttpRequest, queryset: QuerySet[Pattern]) -> None:
        self._change(request, queryset, "pattern.pinned", pinned=True)

    @admin.action(description="Retire: never matched again")
    def retire(self, request: HttpRequest, queryset: QuerySet[Pattern]) -> None:
        self._change(request, queryset, "pattern.retired", state=PatternState.RETIRED, pinned=False)

    def _change(self, request: HttpRequest, queryset: QuerySet[Pattern], action: str, **values: Any) -> None:
        for pattern in queryset:
            Pattern.objects.filter(pk=pattern.pk).update(**values, updated_at=clock.now())
            audited(request, action, pattern.pk, title=pattern.title)
