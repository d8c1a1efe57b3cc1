"""Git as a person uses it, for laying out what the tests need."""

from __future__ import annotations

import subprocess
from pathlib import Path


def plain_git(repository: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Mia", "-c", "user.email=mia@example.com", "-c", "init.defaultBranch=main"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
