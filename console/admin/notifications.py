"""The alerts and their deliveries."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from console.admin.base import NoBulkDeleteMixin, ReadOnlyMixin, TypedModelAdmin, audited
from console.site import owner_site
from notifications.models import Delivery, OwnerAlert
from notifications.selectors import deliveries_dead
from notifications.services import alert_read, delivery_retry


@admin.register(OwnerAlert, site=owner_site)
class OwnerAlertAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[OwnerAlert]):
    list_display = ["priority", "title", "count", "last_at", "read_at"]
    list_display_links = ["title"]
    list_filter = ["priority", ("read_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "key"]
    exclude = ["slot"]
    actions = ["mark_read"]

    @admin.action(description="Mark as read")
    def mark_read(self, request: HttpRequest, queryset: QuerySet[OwnerAlert]) -> None:
        alert_read(alert_ids=queryset.values_list("pk", flat=True))


class DeadDeliveryFilter(admin.SimpleListFilter):
    title = "dead letters"
    parameter_name = "dead"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Given up")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pk__in=deliveries_dead()) if self.value() == "1" else queryset


@admin.register(Delivery, site=owner_site)
class DeliveryAdmin(ReadOnlyMixin, NoBulkDeleteMixin, TypedModelAdmin[Delivery]):
    list_display = ["alert", "channel", "state", "attempts", "error", "sent_at"]
    list_filter = [DeadDeliveryFilter, "state", "channel"]
    list_select_related = ["alert"]
    exclude = ["lease_token"]
    actions = ["send_again"]

    @admin.action(description="Send again")
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        for delivery in queryset:
            if delivery_retry(delivery_id=delivery.pk):
                audited(request, "delivery.retried", delivery.pk)
