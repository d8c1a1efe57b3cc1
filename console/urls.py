"""Addresses of the Manager's Console."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

urlpatterns: list[URLPattern | URLResolver] = [path("console/", admin.site.urls)]
