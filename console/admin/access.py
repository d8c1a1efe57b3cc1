"""The audit log and the owner's sessions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from console.access import session_end
from console.admin.base import NoBulkDeleteMixin, ReadOnlyMixin, TypedModelAdmin, audited
from console.models import AuditEntry, OwnerSession
from console.site import owner_site


@admin.register(AuditEntry, site=owner_site)
class AuditEntryAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[AuditEntry]):
    list_display = ["sequence", "at", "actor", "action", "subject", "ip"]
    list_filter = ["action"]
    search_fields = ["actor", "subject", "action"]
    date_hierarchy = "at"
    show_full_result_count = False


@admin.register(OwnerSession, site=owner_site)
class OwnerSessionAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[OwnerSession]):
    list_display = ["user", "ip", "started_at", "seen_at", "ended_at", "end_reason"]
    list_filter = ["end_reason"]
    list_select_related = ["user"]
    exclude = ["key_hash"]
    actions = ["end_sessions"]

    @admin.action(description="End these sessions")
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[OwnerSession]) -> None:
        for session in queryset.filter(ended_at=None):
            session_end(session, "ended by the owner")
            audited(request, "session.ended", session.pk, user=session.user.get_username())

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")
