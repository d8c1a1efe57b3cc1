"""Client of the payment provider."""

from typing import Any

import requests
from forge.config import Config

TIMEOUT_S = 10


def checkout_create(config: Config, *, user_id: str, credits: int, cents: int) -> dict[str, Any]:
    """Charge the card on file; returns the purchase. The provider confirms it by webhook as well."""
    response = requests.post(
        f"{config.payments_url}/v1/checkout",
        json={
            "amount": cents,
            "currency": "eur",
            "metadata": {"user": user_id, "credits": credits},
            "webhook_url": f"{config.public_url}/webhooks/payments",
        },
        headers={"Authorization": f"Bearer {config.payments_key}"},
        timeout=TIMEOUT_S,
    )
    response.raise_for_status()
    return response.json()


def purchase_fetch(config: Config, purchase_id: str) -> dict[str, Any] | None:
    """The provider's own word on a purchase; None when it knows none with this id."""
    response = requests.get(
        f"{config.payments_url}/v1/purchases/{purchase_id}",
        headers={"Authorization": f"Bearer {config.payments_key}"},
        timeout=TIMEOUT_S,
    )
    if response.status_code == 404:
        return None
    response.raise_for_status()
    return response.json()
