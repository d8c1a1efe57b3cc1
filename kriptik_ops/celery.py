"""The Celery application: a broker message is a hint that carries an id; the row is the truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kriptik_ops.settings")

app = Celery("kriptik_ops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
