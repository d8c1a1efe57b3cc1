"""The home page: what is wrong now, what is being done about it, and what waits for the owner."""

from typing import Any


def home_context() -> dict[str, Any]:
    return {}
