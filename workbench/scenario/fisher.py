"""How sure may one be that a fix, and not luck, made the failure go away: Fisher's exact test, one-sided."""

from __future__ import annotations

from math import comb

SIGNIFICANCE = 0.01
MAX_RUNS = 200


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


def runs_needed(base_failed: int, base_runs: int, *, significance: float = SIGNIFICANCE) -> int | None:
    """Clean runs of the fix that prove it against these base runs; None when no number up to 200 does.

    A fault that never showed on base proves nothing; 1 failure in 5 base runs needs more base runs, not
    more fix runs.
    """
    if base_failed == 0:
        return None
    for runs in range(1, MAX_RUNS + 1):
        if fisher_p(base_failed, base_runs, 0, runs) < significance:
            return runs
    return None
