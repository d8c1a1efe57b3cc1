"""Which directories of the host an interpreter and its packages need, so that a command means the same
inside.

The PATH stays as it is inside: every directory is mounted where it lies. A pyenv shim is a shell script
that asks pyenv, which is not there; so the directory of the chosen version's programs is mounted in its
place.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from workbench.sandbox.model import Mount

# What an installation prefix consists of; anything else beside these may be private.
PREFIX_PARTS = ("bin", "lib", "lib64", "libexec", "include", "share", "pyvenv.cfg")
SYSTEM_PREFIXES = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64")))
HOLDS_PACKAGES = re.compile(r"python\d+\.\d+$|pypy\d|node_modules$")


def toolchain_mounts(path: str, *, environment: Mapping[str, str] | None = None) -> list[Mount]:
    """Read-only mounts for the interpreters and packages that programs on this PATH use.

    Directories of the system (/usr) are always there. Relative entries and missing ones are left out, as is
    a home directory itself. `environment` (default: ours) is asked for PYENV_VERSION.
    """
    environment = os.environ if environment is None else environment
    mounts: dict[Path, Mount] = {}
    for entry in dict.fromkeys(path.split(os.pathsep)):
        directory = Path(entry)
        if entry and directory.is_absolute() and directory.is_dir() and not _of_the_system(directory):
            for mount in _directory_mounts(directory, environment):
                mounts.setdefault(mount.target, mount)
    return _outermost(mounts.values())


def python_mounts(python: str | Path | None = None) -> list[Mount]:
    """Mounts for one interpreter (default: the one that runs us) with its packages, at its own path."""
    return toolchain_mounts(str(_interpreter(python).parent))


def python_env(
    python: str | Path | None = None, *, path: str = "/usr/local/bin:/usr/bin:/bin"
) -> dict[str, str]:
    """Environment in which `python` means this interpreter (default: the one that runs us)."""
    executable = _interpreter(python)
    return {
        "PATH": f"{executable.parent}{os.pathsep}{path}",
        # A .pyc of the same second and size would hide an edit, and the tree is not ours to litter.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _interpreter(python: str | Path | None) -> Path:
    executable = Path(python or sys.executable)
    if not executable.is_absolute():
        raise ValueError(f"the interpreter must be given by its absolute path, not {executable}")
    return executable


def _directory_mounts(directory: Path, environment: Mapping[str, str]) -> Iterator[Mount]:
    if directory.name == "shims" and (directory.parent / "versions").is_dir():
        yield from _pyenv_mounts(directory, environment)
        return
    prefix = directory.parent
    if _is_prefix(prefix) and not _is_home_or_above(prefix):
        yield from _prefix_mounts(prefix)
    elif _is_prefix(prefix) and directory.name == "bin":
        yield from (mount for mount in _prefix_mounts(prefix) if mount.target.name in ("bin", "lib"))
    elif not _is_home_or_above(directory):
        yield Mount(directory.resolve(), directory)


def _is_prefix(prefix: Path) -> bool:
    """Whether packages are installed below: a virtual environment, a Python, a Node."""
    if (prefix / "pyvenv.cfg").is_file():
        return True
    with contextlib.suppress(OSError):
        return any(HOLDS_PACKAGES.match(entry.name) for entry in (prefix / "lib").iterdir())
    return False


def _prefix_mounts(prefix: Path) -> Iterator[Mount]:
    """One prefix as its parts, the installation behind a virtual environment, and what .pth files
    point to.
    """
    for place in dict.fromkeys((prefix, prefix.resolve())):
        for part in PREFIX_PARTS:
            if (place / part).exists():
                yield Mount((place / part).resolve(), place / part)
    for base in _bases(prefix):
        if not _of_the_system(base):
            yield from _prefix_mounts(base)
    for packages in prefix.glob("lib/python*/site-packages"):
        yield from _path_file_mounts(packages)


def _bases(prefix: Path) -> list[Path]:
    """Prefixes of the installations that a virtual environment's interpreter really comes from."""
    bases: list[Path] = []
    config = prefix / "pyvenv.cfg"
    if config.is_file():
        for line in config.read_text().splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "home":
                bases.append(Path(value.strip()).parent)
        with contextlib.suppress(OSError):
            bases.append((prefix / "bin" / "python").resolve(strict=True).parent.parent)
    return [base for base in dict.fromkeys(bases) if base != prefix.resolve() and _is_prefix(base)]


def _path_file_mounts(packages: Path) -> Iterator[Mount]:
    """Directories of packages that are installed in place (pip install -e)."""
    for file in packages.glob("*.pth"):
        for line in file.read_text(errors="replace").splitlines():
            directory = Path(line.strip())
            if directory.is_absolute() and directory.is_dir() and not _is_home_or_above(directory):
                yield Mount(directory.resolve(), directory)


def _pyenv_mounts(shims: Path, environment: Mapping[str, str]) -> Iterator[Mount]:
    """The versions that pyenv would choose; the programs of the first lie where its shims were."""
    root = shims.parent
    chosen = environment.get("PYENV_VERSION") or _pyenv_version_file(root)
    versions = [root / "versions" / name for name in chosen.replace(":", " ").split()]
    present = [version for version in versions if (version / "bin").is_dir()]
    for version in present:
        yield from _prefix_mounts(version)
    if present:
        yield Mount((present[0] / "bin").resolve(), shims)


def _pyenv_version_file(root: Path) -> str:
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / ".python-version").is_file():
            return (directory / ".python-version").read_text()
    with contextlib.suppress(OSError):
        return (root / "version").read_text()
    return ""


def _of_the_system(directory: Path) -> bool:
    return any(directory.resolve().is_relative_to(system) for system in SYSTEM_PREFIXES)


def _is_home_or_above(directory: Path) -> bool:
    """Whether mounting the directory would show a whole home directory (anybody's) or the whole machine."""
    resolved = directory.resolve()
    homes = {Path.home().resolve(), Path("/root"), Path("/home")}
    return resolved.parent == Path("/home") or any(home.is_relative_to(resolved) for home in homes)


def _outermost(mounts: Iterable[Mount]) -> list[Mount]:
    """Leave out what another mount shows already at the same place."""
    kept: list[Mount] = []
    for mount in sorted(mounts, key=lambda mount: len(mount.target.parts)):
        covered = any(
            mount.target.is_relative_to(other.target)
            and mount.source == other.source / mount.target.relative_to(other.target)
            for other in kept
        )
        if not covered:
            kept.append(mount)
    return kept
