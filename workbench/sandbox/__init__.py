"""Runs untrusted commands: no network, no host files, no privilege, bounded in everything, gone
afterwards.
"""

from workbench.sandbox.bwrap import sandbox_open
from workbench.sandbox.model import (
    WORK,
    Limits,
    Mount,
    Result,
    Sandbox,
    SandboxError,
    SandboxUnavailable,
)
from workbench.sandbox.toolchain import python_env, python_mounts, toolchain_mounts

__all__ = [
    "WORK",
    "Limits",
    "Mount",
    "Result",
    "Sandbox",
    "SandboxError",
    "SandboxUnavailable",
    "python_env",
    "python_mounts",
    "sandbox_open",
    "toolchain_mounts",
]
