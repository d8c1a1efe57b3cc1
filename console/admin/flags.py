"""Flags, releases and rollouts."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.access import actor_name
from console.admin.base import (
    HistoryInline,
    NoBulkDeleteMixin,
    ReadOnlyInline,
    ReadOnlyMixin,
    SudoMixin,
    TypedModelAdmin,
    audited,
)
from console.site import owner_site
from flags.models import (
    Assignment,
    Flag,
    FlagHistory,
    FlagOverride,
    Release,
    ReleaseTransition,
    Rollout,
    RolloutTransition,
    flag_change,
)


class ReleaseLines(HistoryInline):
    model = ReleaseTransition


class RolloutLines(HistoryInline):
    model = RolloutTransition


class AssignmentLines(ReadOnlyInline):
    """Who is on it. The token is what the user's browser carries: it is not shown."""

    model = Assignment
    fields = ["subject", "phase", "why", "assigned_at", "landed_at", "ended_at"]


@admin.register(Release, site=owner_site)
class ReleaseAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Release]):
    list_display = ["id", "host", "kind", "phase", "commit", "port", "started_at"]
    list_filter = ["kind", "phase", "host"]
    list_select_related = ["host"]
    search_fields = ["id", "commit", "tree_hash"]
    ordering = ["-created_at"]
    exclude = ["spec"]  # it holds the environment of the host, with its secret
    inlines = [ReleaseLines]


@admin.register(Rollout, site=owner_site)
class RolloutAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Rollout]):
    list_display = ["id", "host", "phase", "reason", "incident_link", "since", "finished_at"]
    list_filter = ["phase", "host"]
    list_select_related = ["host", "release"]
    search_fields = ["id", "incident_id", "release__id"]
    ordering = ["-created_at"]
    exclude = ["lease_token"]
    inlines = [AssignmentLines, RolloutLines]

    @admin.display(description="Incident")
    def incident_link(self, rollout: Rollout) -> SafeString | str:
        if not rollout.incident_id:
            return "none"
        url = reverse("admin:incident", args=[rollout.incident_id])
        return format_html('<a href="{}">{}</a>', url, rollout.incident_id)


@admin.register(Flag, site=owner_site)
class FlagAdmin(SudoMixin, NoBulkDeleteMixin, TypedModelAdmin[Flag]):
    list_display = ["name", "killed", "everyone", "percent", "version", "modified"]
    list_filter = ["killed", "everyone"]
    search_fields = ["name", "note"]
    fields = ["name", "note", "killed", "everyone", "percent", "superusers"]

    def save_model(self, request: HttpRequest, obj: Flag, form: Any, change: bool) -> None:
        with flag_change(actor=actor_name(request), reason="changed in the console"):
            super().save_model(request, obj, form, change)
        audited(request, "flag.changed", obj.name, fields=sorted(form.changed_data))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(FlagOverride, site=owner_site)
class FlagOverrideAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[FlagOverride]):
    list_display = ["flag", "key", "active", "reason", "actor", "at", "expires_at"]
    list_select_related = ["flag"]
    search_fields = ["key", "flag__name"]


@admin.register(FlagHistory, site=owner_site)
class FlagHistoryAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[FlagHistory]):
    list_display = ["at", "name", "action", "version", "actor", "reason"]
    search_fields = ["name", "actor"]
    ordering = ["-at"]
