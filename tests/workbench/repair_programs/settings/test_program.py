from program import parse


def test_plain():
    assert parse("a = 1\n\n# note\nb=2") == {"a": "1", "b": "2"}


def test_value_with_separator():
    assert parse("query = x=1") == {"query": "x=1"}
