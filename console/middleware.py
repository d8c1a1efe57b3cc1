"""Around every console page: sessions that end, and the headers that keep foreign code out."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.access import second_factor_given, session_end, session_fault, session_of, session_touch
from console.audit import audit_write

# 'unsafe-eval' is for Alpine, which unfold is built with; 'unsafe-inline' stays off scripts, so markup
# that slipped through escaping still runs nothing. Styles: unfold writes its colours into the page.
CONSOLE_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)


class ConsoleMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/console/"):
            return self.get_response(request)
        response = self._ended(request) or self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONSOLE_CSP)
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _ended(self, request: HttpRequest) -> HttpResponse | None:
        if not request.user.is_authenticated or not second_factor_given(request.user):
            return None
        session = session_of(request.session.session_key)
        fault = session_fault(session)
        if not fault:
            if session is not None:
                session_touch(session)
            return None
        if session is not None:
            session_end(session, "expired")
            audit_write(actor=request.user.get_username(), action="session.expired")
        logout(request)
        messages.warning(request, fault)
        return redirect("admin:login")
