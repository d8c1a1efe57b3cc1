"""Client of the model provider."""

import requests
from forge.config import Config

TIMEOUT_S = 20


def request_app(config: Config, prompt: str) -> dict:
    """Have the model build an app: {"title", "steps", "html"}."""
    response = requests.post(
        f"{config.model_url}/v1/generate",
        json={"prompt": prompt},
        headers={"Authorization": f"Bearer {config.model_key}"},
        timeout=TIMEOUT_S,
    )
    response.raise_for_status()
    return response.json()
