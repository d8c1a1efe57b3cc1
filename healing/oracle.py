"""How sure a comparison is: Fisher's exact test on failures of base against failures of a fix. Pure."""

from math import comb


def fisher(failed_a: int, runs_a: int, failed_b: int, runs_b: int) -> float:
    """One-sided p: the chance of at least `failed_a` of the failures falling on A if both were alike."""
    total, failures = runs_a + runs_b, failed_a + failed_b
    if not 0 <= failed_a <= runs_a or not 0 <= failed_b <= runs_b:
        raise ValueError("more failures than runs")
    ways = comb(total, failures)
    return (
        sum(comb(runs_a, k) * comb(runs_b, failures - k) for k in range(failed_a, min(runs_a, failures) + 1))
        / ways
    )


def runs_needed(failed: int, runs: int, limit: float, most: int) -> int | None:
    """How many runs of base (at the rate seen so far) tell it from a fix that never fails; None: too many."""
    if failed == 0:
        return None
    for n in range(runs, most + 1):
        if fisher(round(failed / runs * n), n, 0, n) < limit:
            return n
    return None
