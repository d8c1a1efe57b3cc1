"""What the console does when something happens elsewhere."""

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from console.access import client_ip
from console.audit import audit_write
from console.consumers import GROUP
from flags.models import RolloutTransition
from healing.models import RunTransition
from incidents.models import IncidentTransition
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


# Every move writes its line of history in the same transaction, so the lines say all there is to say.
@receiver(post_save, sender=IncidentTransition, dispatch_uid="console.incident_moved")
@receiver(post_save, sender=RunTransition, dispatch_uid="console.run_moved")
@receiver(post_save, sender=RolloutTransition, dispatch_uid="console.rollout_moved")
def moved(instance: IncidentTransition | RunTransition | RolloutTransition, **_: Any) -> None:
    topic = str(instance.subject_id)
    # Robust: a dead broker is logged, and can't undo or stop what moved.
    transaction.on_commit(lambda: wake(topic), robust=True)


@receiver(owner_alert_raised, dispatch_uid="console.bell")
def alert_raised(alert_id: int, **_: Any) -> None:
    wake(f"alert:{alert_id}")


def wake(topic: str) -> None:
    """Tells every open console page to look again. All callers are robust: a dead broker is logged."""
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(GROUP, {"type": "console.wake", "topic": topic})
