"""The sequential test: exact where it can be computed, and simulated with fixed seeds where it can't."""

import itertools
import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flags import limits
from flags.sequential import EProcess, detectable_rate

counts = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair)))


@given(counts, counts, st.integers(1, 4), st.floats(0.001, 0.999))
def test_no_block_is_a_bet_that_wins_on_average_when_both_are_alike(canary, control, k, rate):
    """Sums over every possible block: the expected factor is at most one, whatever the common rate is."""
    before = EProcess(canary_bad=canary[0], canary=canary[1], control_bad=control[0], control=control[1])
    expected = 0.0
    for block in itertools.product([False, True], repeat=k + 1):
        chance = math.prod(rate if bad else 1 - rate for bad in block)
        after = before.block(block[0], list(block[1:]))
        expected += chance * math.exp(after.log_capital)
    assert expected <= 1 + 1e-9


@given(st.lists(st.booleans(), max_size=60))
def test_a_candidate_that_never_looks_worse_is_never_bet_on(outcomes):
    test = EProcess()
    for bad in outcomes:
        test = test.block(False, [bad])
    assert test.log_capital == 0


@given(st.lists(st.tuples(st.booleans(), st.lists(st.booleans(), max_size=5)), max_size=40))
def test_the_state_survives_storage(blocks):
    test = EProcess()
    for canary, control in blocks:
        test = test.block(canary, control)
    assert EProcess.from_json(test.as_json()) == test


def test_without_control_there_is_no_bet():
    test = EProcess()
    for _ in range(50):
        test = test.block(True, [])
    assert test.log_capital == 0 and test.canary_bad == 50


def looks_until_rollback(rng, *, stable, candidate, alpha, looks, k=9):
    test = EProcess()
    for number in range(1, looks + 1):
        test = test.block(rng.random() < candidate, [rng.random() < stable for _ in range(k)])
        if test.rejects(alpha):
            return number
    return None


def test_false_rollbacks_over_1000_looks_stay_under_two_percent():
    rng = random.Random(20261122)
    runs = [
        looks_until_rollback(rng, stable=0.01, candidate=0.01, alpha=limits.ALPHA_ERRORS, looks=1000)
        for _ in range(150)
    ]
    assert sum(run is not None for run in runs) / len(runs) <= 0.02


@pytest.mark.parametrize(("candidate", "median"), [(0.10, 60), (0.50, 8), (0.95, 4)])
def test_a_worse_candidate_is_found_after_few_requests(candidate, median):
    rng = random.Random(7)
    runs = [
        looks_until_rollback(rng, stable=0.01, candidate=candidate, alpha=limits.ALPHA_ERRORS, looks=1000)
        for _ in range(60)
    ]
    assert None not in runs
    assert statistics.median(runs) <= median


def test_past_control_finds_a_candidate_that_breaks_when_everyone_is_on_it():
    test = EProcess(control_bad=2, control=400)
    for number in range(40):
        test = test.against_past_control(number % 4 == 0)
    assert test.rejects(limits.ALPHA_ERRORS)
    good = EProcess(control_bad=2, control=400)
    for _ in range(1000):
        good = good.against_past_control(False)
    assert not good.rejects(limits.ALPHA_ERRORS)


@pytest.mark.parametrize(("requests", "rate"), [(14, 0.20), (29, 0.10), (59, 0.05), (149, 0.02), (299, 0.01)])
def test_what_so_many_clean_requests_rule_out(requests, rate):
    assert detectable_rate(requests) <= rate < detectable_rate(requests - 1)


def test_no_request_rules_out_nothing():
    assert detectable_rate(0) is None
