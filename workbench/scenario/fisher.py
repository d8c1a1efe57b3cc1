"""How sure may one be that a fix, and not luck, made the failure go away: Fisher's exact test, one-sided."""

from __future__ import annotations

from math import comb


def fisher_p(base_failed: int, base_runs: int, fix_failed: int, fix_runs: int) -> float:
    """Probability of a table at least this much in the fix's favour if base and fix failed equally often.

    5/5 against 0/5 gives 0.004, 3/5 against 0/5 gives 0.083. Raises ValueError for counts that are no counts.
    """
    if not (0 <= base_failed <= base_runs and 0 <= fix_failed <= fix_runs):
        raise ValueError("failures must lie between 0 and the number of runs")
    if base_runs == 0 or fix_runs == 0:
        return 1.0
    failures, total = base_failed + fix_failed, base_runs + fix_runs
    # Integers until the last division: the tail of a hypergeometric distribution, exact.
    most = min(failures, base_runs)
    tail = sum(comb(base_runs, k) * comb(fix_runs, failures - k) for k in range(base_failed, most + 1))
    return tail / comb(total, failures)
