from program import depth

LEAF = (None, None)


def test_nothing():
    assert depth(None) == 0


def test_leaf():
    assert depth(LEAF) == 1


def test_deep():
    assert depth((LEAF, (LEAF, (None, LEAF)))) == 4
