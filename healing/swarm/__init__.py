"""The Verification Swarm: independent checks of a fix, each with its own stored verdict."""

from healing.swarm.host_tests import host_tests
from healing.swarm.shapes import Check
from healing.swarm.static import runtime_log, static_checks, visual

__all__ = ["Check", "host_tests", "runtime_log", "static_checks", "visual"]
