"""The record of a kill, step by step, with times."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core import clock
from flags.gateway import GatewayDown


class Proof:
    """What was done to take a release back, step by step, with times: shown to whoever pulled the switch."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.steps: list[dict[str, Any]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """A step that fails is recorded as such, and the next one is done all the same."""
        began, line = time.perf_counter(), {"step": name, "ok": True}
        try:
            yield line
        except GatewayDown as error:
            line |= {"ok": False, "error": error.message}
        line["ms"] = round((time.perf_counter() - began) * 1000, 2)
        self.steps.append(line)

    def as_json(self) -> dict[str, Any]:
        return {
            "proved": all(step["ok"] for step in self.steps),
            "ms": round((time.perf_counter() - self.began) * 1000, 2),
            "at": clock.now_ms(),
            "steps": self.steps,
        }
