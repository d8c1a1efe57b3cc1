"""The morning's task. Run twice it finds its day done."""

from celery import shared_task

from research.services import research_run


@shared_task(name="research.morning", soft_time_limit=540, time_limit=570)
def morning() -> None:
    research_run()
