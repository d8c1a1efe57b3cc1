"""Who falls into which share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flags.bucketing import bucket, in_share

keys = st.text(min_size=1, max_size=40)


@given(st.text(), keys)
def test_the_answer_is_always_the_same_and_in_the_unit_interval(salt, key):
    assert bucket(salt, key) == bucket(salt, key)
    assert 0 <= bucket(salt, key) < 1


def test_it_is_the_documented_hash():
    assert bucket("salt", "user:1") == pytest.approx(0.78387052, abs=1e-6)


@given(keys, st.floats(0, 100), st.floats(0, 100))
def test_a_larger_share_contains_the_smaller_one(key, a, b):
    small, large = sorted((a, b))
    assert not in_share("s", key, small) or in_share("s", key, large)


def test_the_share_is_as_large_as_it_says_and_independent_between_salts():
    users = [f"user:{n}" for n in range(20_000)]
    first = {u for u in users if in_share("a", u, 10)}
    second = {u for u in users if in_share("b", u, 10)}
    assert 0.09 < len(first) / len(users) < 0.11
    assert 0.007 < len(first & second) / len(users) < 0.013, "a tenth of a tenth: not the same people again"


def test_salt_and_key_do_not_run_into_each_other():
    assert bucket("ab", "c") != bucket("a", "bc")


@pytest.mark.parametrize("missing", [None, ""])
def test_somebody_without_a_key_stays_on_stable_even_at_100_percent(missing):
    assert not in_share("s", missing, 100)


def test_everybody_is_in_100_percent_and_nobody_in_0():
    assert in_share("s", "user:1", 100)
    assert not in_share("s", "user:1", 0)


@pytest.mark.parametrize("percent", [-1, 100.1])
def test_a_share_outside_0_to_100_is_refused(percent):
    with pytest.raises(ValueError, match="between 0 and 100"):
        in_share("s", "user:1", percent)
