"""Flags, releases, rollouts, and the gateway's evidence."""

from flags.models.flag import Flag, FlagOverride
from flags.models.flag_history import FlagHistory, flag_change
from flags.models.release import Release, ReleaseKind, ReleaseTransition
from flags.models.rollout import Assignment, Rollout, RolloutTransition
from flags.models.telemetry import Heartbeat, KillSwitch, RequestRecord

__all__ = [
    "Assignment",
    "Flag",
    "FlagHistory",
    "FlagOverride",
    "Heartbeat",
    "KillSwitch",
    "Release",
    "ReleaseKind",
    "ReleaseTransition",
    "RequestRecord",
    "Rollout",
    "RolloutTransition",
    "flag_change",
]
