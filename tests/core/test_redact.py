import pytest

from core.redact import MASK, scrub, scrub_text


@pytest.mark.parametrize(
    "text, gone",
    [
        ("mail ada@forge.example please", "ada@forge.example"),
        ("Authorization: Bearer abcdef1234567890", "abcdef1234567890"),
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "eyJhbGciOiJI"),
        ("key sk-live_0123456789abcdef0", "0123456789abcdef0"),
        ("card 4242 4242 4242 4242 declined", "4242 4242 4242 4242"),
        ("/reset?token=s3cr3t&x=1", "s3cr3t"),
    ],
)
def test_it_scrubs_what_nobody_should_store(text, gone):
    assert gone not in scrub_text(text)
    assert MASK in scrub_text(text)


def test_it_leaves_what_is_no_secret():
    text = "Order 4242424242424241 at 1700000000000 of /studio failed: 502"
    assert scrub_text(text) == text


def test_it_scrubs_whole_values_under_telling_keys_at_any_depth():
    value = {"a": [{"Password": "hunter2", "n": 3}], "b": "fine", "session_token": "abc"}
    assert scrub(value) == {"a": [{"Password": MASK, "n": 3}], "b": "fine", "session_token": MASK}


def test_it_stops_at_a_depth_that_no_honest_report_has():
    deep: object = "x"
    for _ in range(50):
        deep = [deep]
    assert MASK in str(scrub(deep))
