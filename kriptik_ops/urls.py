"""Addresses: each app brings its own; the console is the admin site."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.generic import RedirectView


def healthz(_: HttpRequest) -> HttpResponse:
    """Liveness: this process answers. It asks nobody else, so a dead broker does not restart the web."""
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", RedirectView.as_view(url="/console/", permanent=False)),
    path("", include("incidents.urls")),
    path("", include("flags.urls")),
    path("", include("research.urls")),
    path("", include("console.urls")),
]
