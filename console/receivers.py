"""What the console does when something happens elsewhere."""

from typing import Any

from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver

from console.access import client_ip
from console.audit import audit_write


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
