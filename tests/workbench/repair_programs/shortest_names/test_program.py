from program import shortest


def test_two():
    assert shortest(["gamma", "pi", "tau", "alpha"], 2) == ["pi", "tau"]


def test_one():
    assert shortest(["b", "aaa", "cc"], 1) == ["b"]
