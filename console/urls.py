"""Addresses of the Manager's Console: the owner's admin site, and nothing beside it."""

from django.urls import URLPattern, URLResolver, path

from console import admin, pages  # noqa: F401 (they register what the site shows)
from console.site import owner_site

urlpatterns: list[URLPattern | URLResolver] = [path("console/", owner_site.urls)]
