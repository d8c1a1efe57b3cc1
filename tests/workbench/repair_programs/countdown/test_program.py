from program import halvings


def test_one():
    assert halvings(1) == 0


def test_eight():
    assert halvings(8) == 3


def test_hundred():
    assert halvings(100) == 6
