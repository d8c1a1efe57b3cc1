"""Offline repair: finds a small edit that makes a failing check pass, without a model and without a key."""

from workbench.repair.command import CommandCheck
from workbench.repair.model import Attempt, Check, CheckResult, Edit, Hints, RepairResult
from workbench.repair.search import repair_search

__all__ = [
    "Attempt",
    "Check",
    "CheckResult",
    "CommandCheck",
    "Edit",
    "Hints",
    "RepairResult",
    "repair_search",
]
