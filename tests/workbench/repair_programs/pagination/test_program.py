from program import page


def test_first():
    assert page([1, 2, 3, 4, 5], 1, 2) == [1, 2]


def test_middle():
    assert page([1, 2, 3, 4, 5], 2, 2) == [3, 4]


def test_last():
    assert page([1, 2, 3, 4, 5], 3, 2) == [5]
