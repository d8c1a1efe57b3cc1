"""Flags, releases and rollouts."""

from waffle.models import AbstractUserFlag


class Flag(AbstractUserFlag):
    """A feature flag: waffle's own model, on our table."""
