"""The counts that prove a fix, against values computed by hand and the full distribution."""

from __future__ import annotations

from math import comb

import pytest

from workbench.scenario.fisher import fisher_p, runs_needed


@pytest.mark.parametrize(
    ("counts", "p"),
    [
        ((5, 5, 0, 5), 1 / comb(10, 5)),
        ((3, 5, 0, 5), comb(5, 3) / comb(10, 3)),
        ((10, 10, 0, 10), 1 / comb(20, 10)),
        ((5, 5, 5, 5), 1.0),
        ((0, 5, 0, 5), 1.0),
        ((0, 5, 5, 5), 1.0),
        ((0, 0, 0, 5), 1.0),
        ((4, 5, 1, 5), (comb(5, 4) * 5 + 1) / comb(10, 5)),
    ],
)
def test_the_probability_that_it_was_luck(counts: tuple[int, int, int, int], p: float) -> None:
    assert fisher_p(*counts) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize("counts", [(6, 5, 0, 5), (-1, 5, 0, 5), (0, 5, 6, 5)])
def test_counts_that_are_none_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="between 0 and the number of runs"):
        fisher_p(*counts)


@pytest.mark.parametrize(("base", "runs"), [((5, 5), 4), ((10, 10), 3), ((3, 5), 15), ((0, 5), None)])
def test_the_clean_runs_that_a_fix_needs(base: tuple[int, int], runs: int | None) -> None:
    needed = runs_needed(*base)
    assert needed == runs
    if needed is not None:
        assert fisher_p(*base, 0, needed) < 0.01 <= fisher_p(*base, 0, needed - 1)
