"""The counts that prove a fix, against values computed by hand and the full distribution."""

from __future__ import annotations

from math import comb

import pytest

from workbench.scenario.fisher import fisher_p


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
