from program import encode


def test_empty():
    assert encode("") == []


def test_runs():
    assert encode("aab") == [("a", 2), ("b", 1)]


def test_single():
    assert encode("zz") == [("z", 2)]
