"""What the console does when something happens elsewhere."""

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver

from console.access import client_ip
from console.audit import audit_write
from console.consumers import GROUP
from flags.signals import rollout_moved
from healing.signals import run_finished
from incidents.signals import incident_grew, incident_opened
from notifications.signals import owner_alert_raised


@receiver(user_login_failed, dispatch_uid="console.login_failed")
def login_failed(credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    """Counts for the login's brake, and stays in the log."""
    if request is None or not request.path.startswith("/console/"):
        return
    audit_write(
        actor="",
        action="login.failed",
        subject=str(credentials.get("username", ""))[:150],
        ip=client_ip(request),
    )


@receiver([incident_opened, incident_grew], dispatch_uid="console.incidents")
def incident_changed(incident_id: str, **_: Any) -> None:
    wake(incident_id)


@receiver(run_finished, dispatch_uid="console.runs")
def run_changed(run_id: str, **_: Any) -> None:
    wake(run_id)


@receiver(rollout_moved, dispatch_uid="console.rollouts")
def rollout_changed(rollout_id: str, **_: Any) -> None:
    wake(rollout_id)


@receiver(owner_alert_raised, dispatch_uid="console.bell")
def alert_raised(alert_id: int, **_: Any) -> None:
    wake(f"alert:{alert_id}")


def wake(topic: str) -> None:
    """Tells every open console page to look again. All senders use send_robust: a dead broker is logged."""
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(GROUP, {"type": "console.wake", "topic": topic})
