"""Celery's way into this app: ids in, one service call."""

from celery import shared_task

from incidents.retention import retention_run


@shared_task(name="incidents.retention")
def retention() -> dict[str, int]:
    """Deletes what is too old. Running twice deletes nothing twice."""
    return retention_run()
