"""The values that go into a sandbox and come out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

WORK = Path("/work")
"""Where the work directory lies inside, and the current directory of every command."""


class SandboxError(Exception):
    """The sandbox itself failed; says nothing about the command that was to run."""


class SandboxUnavailable(SandboxError):
    """This machine can't build the sandbox; the message names the remedy."""


@dataclass(frozen=True)
class Limits:
    """What one run may use. Everything is per run except cpu_s, file_mb and open_files (per process)."""

    memory_mb: int = 1536
    processes: int = 512
    wall_s: float = 120
    cpu_s: int = 120
    file_mb: int = 256
    tmp_mb: int = 512
    open_files: int = 1024
    output_bytes: int = 1_000_000
    work_mb: int = 1024

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"limit {name} must be above 0, not {value}")


@dataclass(frozen=True)
class Mount:
    """A host file or directory that shows at target inside; read-only unless writable."""

    source: Path
    target: Path
    writable: bool = False

    def __post_init__(self) -> None:
        for role, path in (("source", self.source), ("target", self.target)):
            if not path.is_absolute():
                raise ValueError(f"mount {role} must be an absolute path, not {path}")
        if self.target == Path("/"):
            raise ValueError("a mount can't replace the root directory")


@dataclass(frozen=True)
class Result:
    """How a run ended. exit_code is None when we killed it; stderr then ends with the reason.

    128+n means that signal n ended the command. Output beyond limits.output_bytes is cut out of the middle.
    """

    exit_code: int | None
    stdout: str
    stderr: str
    timed_out: bool
    seconds: float


class Sandbox(Protocol):
    """Runs one command on untrusted files."""

    def run(
        self,
        argv: Sequence[str],
        *,
        workdir: Path,
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] = {},
        limits: Limits = Limits(),
        heartbeat: Callable[[], None] | None = None,
    ) -> Result:
        """Run argv with workdir as its read-write current directory; nothing of it lives on afterwards."""
        ...
