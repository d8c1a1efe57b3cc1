from program import total


def test_below():
    assert total([10, 20], 100, 10) == 30


def test_exactly():
    assert total([40, 60], 100, 10) == 90


def test_above():
    assert total([100, 100], 100, 50) == 100
