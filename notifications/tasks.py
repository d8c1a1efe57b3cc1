"""The outbox's tasks. Both are safe to run twice: the row's lease decides who sends."""

from celery import shared_task

from notifications.delivery import deliver_due, delivery_send


@shared_task(name="notifications.deliver", soft_time_limit=50, time_limit=60)
def deliver(delivery_id: int) -> None:
    delivery_send(delivery_id)


@shared_task(name="notifications.sweep", soft_time_limit=110, time_limit=120)
def sweep() -> None:
    deliver_due()
