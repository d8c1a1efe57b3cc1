"""The admin site of the owner: nothing on it answers anybody who has not given a second factor."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from console import access
from console.audit import audit_write
from console.dashboard import home_context
from console.forms import OwnerLoginForm

View = Callable[..., HttpResponseBase]


class OwnerAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold ships no types
    """Every address of this site goes through `has_permission`; there is no second door."""

    login_form = OwnerLoginForm
    login_template = "console/login.html"
    index_template = "console/home.html"
    site_title = "KripTik Ops"
    index_title = "Home"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._pages: list[tuple[str, View, str]] = []

    def has_permission(self, request: HttpRequest) -> bool:
        return access.owner_verified(request.user)

    def page(self, route: str, name: str) -> Callable[[View], View]:
        """Registers a page of our own behind the same door as every admin page."""

        def register(view: View) -> View:
            self._pages.append((route, view, name))
            return view

        return register

    def extra_urls(self) -> list[URLPattern]:
        return [path(route, self.admin_view(view), name=name) for route, view, name in self._pages]

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().login(request, extra_context)
        # Django replaces request.user during the login; the device on it says that the code was right.
        if request.method == "POST" and getattr(request.user, "otp_device", None) is not None:
            access.session_begin(request)
            audit_write(actor=access.actor_name(request), action="login", ip=access.client_ip(request))
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        session = access.session_of(request.session.session_key)
        actor = access.actor_name(request)
        response: HttpResponse = super().logout(request, extra_context)
        if session is not None:
            access.session_end(session, "logged out")
            audit_write(actor=actor, action="logout", ip=access.client_ip(request))
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().index(request, {**home_context(), **(extra_context or {})})
        return response


owner_site = OwnerAdminSite(name="admin")
