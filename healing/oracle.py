"""How many runs of base it takes before a fix can be told from luck. Pure."""

from workbench.scenario.fisher import fisher_p


def base_runs_needed(failed: int, runs: int, limit: float, most: int) -> int | None:
    """Runs of base (failing at the rate seen so far) that tell it from a fix that never fails.

    None: no number up to `most` does.
    """
    if failed == 0:
        return None
    for n in range(runs, most + 1):
        if fisher_p(round(failed / runs * n), n, 0, n) < limit:
            return n
    return None
