"""Composition: settings, addresses, the ASGI application, Celery, and the embedded services."""

from kriptik_ops.celery import app as celery_app

__all__ = ["celery_app"]
