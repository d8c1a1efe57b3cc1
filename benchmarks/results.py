"""One form for every benchmark's result: a JSON file with machine and commit, and one printed line
a figure.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured number; bar is what design section 15 asks, such as ">= 0.95", or None."""

    name: str
    value: float
    unit: str
    bar: str | None = None


def results_write(name: str, figures: Sequence[Figure], *, directory: Path = RESULTS) -> Path:
    """Write `directory/name.json`, print a line for each figure, and return the file's path."""
    if not figures:
        raise ValueError(f"benchmark {name!r} measured nothing")
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    body = {
        "name": name,
        "commit": _commit(),
        "machine": _machine(),
        "figures": [asdict(figure) for figure in figures],
    }
    path.write_text(json.dumps(body, indent=2) + "\n")
    for figure in figures:
        bar = f"  (bar {figure.bar})" if figure.bar else ""
        print(f"{name}  {figure.name} = {figure.value:g} {figure.unit}{bar}".rstrip())
    return path


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest measured value that at least `share` (0 to 1) of all values do not exceed."""
    if not values or not 0 < share <= 1:
        raise ValueError("a percentile needs values and a share above 0, at most 1")
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _machine() -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{platform.machine()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, Linux {platform.release()}"
