"""The admin class that all of ours derive from."""

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import TabularInline as UnfoldTabularInline

from console import access
from console.audit import audit_write

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline

    class TypedModelAdmin(ModelAdmin[M]):
        """unfold's class has no types; Django's stubs say the same of it."""

    class TypedTabularInline(TabularInline[Any, Any]):
        """The same for inlines."""

else:

    class TypedModelAdmin:
        """unfold's class, with the subscript that type checkers want."""

        def __class_getitem__(cls, _: Any) -> type:
            return UnfoldModelAdmin

    TypedTabularInline = UnfoldTabularInline


class ReadOnlyMixin:
    """Rows that services write: the console shows them, and changes them through actions only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(ReadOnlyMixin, TypedTabularInline):
    """Rows under their owner, to be read."""

    extra = 0
    can_delete = False


class HistoryInline(ReadOnlyInline):
    """The transitions of a row: its timeline and its audit."""

    fields = ["at", "from_phase", "to_phase", "reason", "actor"]
    ordering = ["at", "id"]


class SudoMixin:
    """What changes how much may happen by itself wants a fresh second factor, from the first look."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return _sudo_first(request) or super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        asked = _sudo_first(request) if request.method == "POST" else None
        return asked or super().changelist_view(request, *args, **kwargs)  # type: ignore[misc]


def _sudo_first(request: HttpRequest) -> HttpResponse | None:
    if access.second_factor_is_fresh(request):
        return None
    return redirect(f"{reverse('admin:sudo')}?{urlencode({'next': request.get_full_path()})}")


class NoBulkDeleteMixin:
    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        actions.pop("delete_selected", None)
        return actions


def audited(request: HttpRequest, action: str, subject: Any, **detail: Any) -> None:
    audit_write(
        actor=access.actor_name(request),
        action=action,
        subject=str(subject),
        detail=detail,
        ip=access.client_ip(request),
    )
