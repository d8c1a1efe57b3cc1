"""What can keep the product from starting, each said in one line that names the remedy."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from core.errors import Permanent

MIN_FREE_BYTES = 500 * 1024 * 1024


def port_problems(ports: Mapping[str, tuple[str, int]]) -> list[str]:
    """One line for each port that somebody else listens on; `ports`: purpose -> (variable, number)."""
    found = []
    for purpose, (variable, port) in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OverflowError:
                found.append(f"{variable} is {port}; a port is a number up to 65535.")
            except OSError:
                found.append(
                    f"Port {port} ({purpose}) is in use: stop what listens there, or set {variable}."
                )
    return found


def disk_problems(directory: Path) -> list[str]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".writable"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        return [
            f"{directory} can't be written: {error.strerror}. Free the disk, or set KRIPTIK_VAR elsewhere."
        ]
    free = shutil.disk_usage(directory).free
    if free < MIN_FREE_BYTES:
        return [
            f"Only {free // 2**20} MiB are free for {directory}; {MIN_FREE_BYTES // 2**20} MiB are needed."
        ]
    return []


def part_problems() -> list[str]:
    """Missing system parts and builds."""
    found = []
    if not shutil.which("chromium"):
        found.append("Chromium is missing. Run: sudo apt-get install chromium")
    if not shutil.which("bwrap"):
        found.append("bubblewrap is missing. Run: sudo apt-get install bubblewrap")
    if not (settings.BASE_DIR / "sdk" / "dist" / "kriptik.js").exists():
        found.append("The browser SDK is not built. Run: make build")
    return found


@contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Holds var/up.lock while the product runs; raises Permanent when another holds it.

    The kernel frees the lock when its holder dies, however it dies, so a stale lock can't exist; the
    number in the file only serves the message.
    """
    if problems := disk_problems(var):
        raise Permanent("\n".join(problems))
    var.chmod(0o700)  # the database in it holds second factors, and its files are as readable as it is
    descriptor = os.open(var / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise Permanent(f"It already runs from {var} (process {holder}); stop that one first.") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def is_running(var: Path) -> bool:
    """Whether a product runs from this var/ right now."""
    if not (var / "up.lock").exists():
        return False
    try:
        with only_one(var):
            return False
    except Permanent:
        return True
