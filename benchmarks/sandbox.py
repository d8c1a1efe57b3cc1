"""How fast a sandbox starts and whether every known way out of it is blocked.

python -m benchmarks.sandbox
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.escape_probes import ESCAPE_PROBES, escape_bait, probe_run
from benchmarks.results import Figure, percentile, results_write
from workbench.sandbox import Sandbox, sandbox_open

STARTS = 200


def start_milliseconds(sandbox: Sandbox, count: int) -> list[float]:
    """Times of whole runs of a program that does nothing: start, end and cleaning up."""
    times = []
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for _ in range(count):
            started = time.perf_counter()
            result = sandbox.run(["/usr/bin/true"], workdir=Path(directory))
            times.append((time.perf_counter() - started) * 1000)
            if result.exit_code != 0:
                raise SystemExit(f"the sandbox failed: {result}")
    return times


def main() -> None:
    sandbox = sandbox_open()
    times = start_milliseconds(sandbox, STARTS)
    blocked = 0
    with escape_bait() as bait:
        for attempt in ESCAPE_PROBES:
            failure = probe_run(sandbox, attempt, bait)
            blocked += not failure
            if failure:
                print(f"NOT BLOCKED  {attempt.name}: {failure}")
    results_write(
        "sandbox",
        [
            Figure("start_p95_ms", round(percentile(times, 0.95), 1), "ms", "<= 60"),
            Figure("probes", len(ESCAPE_PROBES), "probes", ">= 40"),
            Figure("blocked", blocked, "probes", f">= {len(ESCAPE_PROBES)}"),
        ],
    )


if __name__ == "__main__":
    main()
