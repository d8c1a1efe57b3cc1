import re

import pytest

from core import ids


def test_it_makes_ids_that_say_what_they_are_and_sort_by_time(monkeypatch):
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    first = ids.new_id("inc")
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_001_000_000)
    second = ids.new_id("inc")
    assert first < second
    assert re.fullmatch("inc_[0-9a-hjkmnp-tv-z]{20}", first), "none of i, l, o and u"


@pytest.mark.parametrize("prefix", ["", "in", "INC", "incident", "in1"])
def test_it_refuses_a_prefix_that_is_not_three_letters(prefix):
    with pytest.raises(ValueError, match="three lower-case letters"):
        ids.new_id(prefix)


def test_it_never_repeats_an_id_within_a_millisecond(monkeypatch):
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_700_000_000_000_000_000)
    assert len({ids.new_id("rep") for _ in range(10_000)}) == 10_000
