"""Errors go where SENTRY_DSN points; without it nothing is loaded and nothing leaves the process."""

import os
from typing import Any
from urllib.parse import urlsplit

import requests


def telemetry_start() -> bool:
    """True when error reporting is on."""
    dsn = os.environ.get("SENTRY_DSN")
    if not dsn:
        return False
    import sentry_sdk
    from sentry_sdk.integrations.flask import FlaskIntegration

    sentry_sdk.init(
        dsn=dsn,
        release=os.environ.get("KRIPTIK_RELEASE") or "stable",
        environment=os.environ.get("FORGE_ENVIRONMENT") or "production",
        integrations=[FlaskIntegration()],
        in_app_include=["forge"],
        send_default_pii=False,
        traces_sample_rate=0.0,
        before_send=add_upstream,
    )
    return True


def add_upstream(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """Name the upstream answer behind an HTTPError: its breadcrumb has the status, not the Retry-After."""
    error = (hint.get("exc_info") or (None, None))[1]
    if isinstance(error, requests.HTTPError) and error.response is not None and error.request is not None:
        event.setdefault("contexts", {})["upstream"] = {
            "method": error.request.method,
            "path": urlsplit(error.request.url).path,
            "host": urlsplit(error.request.url).netloc,
            "status": error.response.status_code,
            "retry_after": error.response.headers.get("Retry-After"),
        }
    return event


def telemetry_tag(user_id: str | None, action: str | None) -> None:
    """Join what the browser saw with what happens here: the user's id, and the id of the action."""
    if not os.environ.get("SENTRY_DSN"):
        return
    import sentry_sdk

    if user_id:
        sentry_sdk.set_user({"id": user_id})
    if action:
        sentry_sdk.set_tag("kriptik_action", action[:64])
