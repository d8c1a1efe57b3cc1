"""The hosts: what they are, what may happen to them, and their keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextareaWidget

from console.admin.base import NoBulkDeleteMixin, SudoMixin, TypedModelAdmin, audited
from console.site import owner_site
from core import ids
from core.errors import KriptikError
from healing.manifest import manifest_parse
from incidents.models import Host
from incidents.services.hosts import BadHost, origin_normal


class HostForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A manifest is accepted only when it can be read; the error names the key and the remedy."""

    origins = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="The sites that may load the SDK, one a line, such as https://app.example.com",
    )

    class Meta:
        model = Host
        fields = [
            "name",
            "slug",
            "base_url",
            "origins",
            "git_dir",
            "branch",
            "manifest_toml",
            "autonomy",
            "killed",
            "shadow",
        ]
        widgets = {"manifest_toml": UnfoldAdminTextareaWidget(attrs={"rows": 24, "spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["origins"] = "\n".join(self.instance.origins or [])

    def clean_origins(self) -> list[str]:
        lines = [line.strip().rstrip("/").lower() for line in self.cleaned_data["origins"].splitlines()]
        try:
            return list(dict.fromkeys(origin_normal(line) for line in lines if line))
        except BadHost as error:
            raise forms.ValidationError(error.message) from error

    def clean_manifest_toml(self) -> str:
        text = str(self.cleaned_data["manifest_toml"])
        if text.strip():
            try:
                manifest_parse(text)
            except KriptikError as error:
                raise forms.ValidationError(error.message) from error
        return text


@admin.register(Host, site=owner_site)
class HostAdmin(SudoMixin, NoBulkDeleteMixin, TypedModelAdmin[Host]):
    form = HostForm
    list_display = ["name", "slug", "autonomy", "killed", "shadow", "base_url"]
    list_filter = ["autonomy", "killed"]
    search_fields = ["name", "slug"]
    readonly_fields = ["public_key", "secret_state", "created_at"]
    actions = ["secret_renew"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "base_url", "origins"]}),
        ("Keys", {"fields": ["public_key", "secret_state"]}),
        ("Code", {"fields": ["git_dir", "branch", "manifest_toml"]}),
        ("What may happen", {"fields": ["autonomy", "killed", "shadow"]}),
    ]

    @admin.display(description="Secret")
    def secret_state(self, host: Host) -> str:
        return "set; shown once when it is made, never again" if host.secret else "made when you save"

    @admin.action(description="Make a new secret and show it once")
    def secret_renew(self, request: HttpRequest, queryset: QuerySet[Host]) -> None:
        if queryset.count() != 1:
            messages.error(request, "Choose exactly one host: its old secret stops working at once.")
            return
        host = queryset.get()
        secret = ids.new_secret()
        Host.objects.filter(pk=host.pk).update(secret=secret)
        audited(request, "host.secret_renewed", host.slug)
        messages.warning(request, f"The new secret of {host.name}, shown this once: {secret}")

    def save_model(self, request: HttpRequest, obj: Host, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audited(
            request, "host.changed" if change else "host.created", obj.slug, fields=sorted(form.changed_data)
        )
        if not change:
            messages.warning(request, f"The secret of {obj.name}, shown this once: {obj.secret}")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
