"""Addresses of this app; docs/protocol.md describes each."""

from django.urls import URLPattern, URLResolver, path

from incidents.views.assets import asset
from incidents.views.reports import reports
from incidents.views.sentry import envelope, store

urlpatterns: list[URLPattern | URLResolver] = [
    path("sdk/v1/reports", reports, name="sdk-reports"),
    path("sdk/v1/<path:name>", asset, name="sdk-asset"),
    path("api/<int:host_id>/envelope/", envelope, name="sentry-envelope"),
    path("api/<int:host_id>/store/", store, name="sentry-store"),
]
