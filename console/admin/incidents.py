"""The incidents' list; one row opens the console's own page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.admin.base import NoBulkDeleteMixin, ReadOnlyMixin, TypedModelAdmin
from console.dashboard import OPEN
from console.site import owner_site
from incidents.models import Incident


class OpenFilter(admin.SimpleListFilter):
    title = "open"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Open"), ("0", "Closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "1":
            return queryset.filter(status__in=OPEN)
        if self.value() == "0":
            return queryset.exclude(status__in=OPEN)
        return queryset


@admin.register(Incident, site=owner_site)
class IncidentAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Incident]):
    list_display = ["severity", "title", "host", "status", "kind", "user_count", "report_count", "last_seen"]
    list_display_links = ["title"]
    list_filter = [OpenFilter, "severity", "status", "kind", "host"]
    list_select_related = ["host"]
    search_fields = ["id", "title", "route", "subject"]
    ordering = ["-last_seen"]
    show_full_result_count = False
    list_per_page = 50

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return redirect("admin:incident", object_id)
