"""Why there is no scenario, or no bench run, in words for the incident's history."""

from __future__ import annotations


class NotReproducible(ValueError):
    """The recording does not hold enough to play it again; `reason` carries none of the visitor's text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BenchRefused(ValueError):
    """The bench was asked for something it won't do: a bad file name, an unknown service, too many runs."""
