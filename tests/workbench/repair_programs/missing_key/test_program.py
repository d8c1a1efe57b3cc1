from program import available


def test_enough():
    assert available({"tea": 3}, {"tea": 2}) == {"tea": True}


def test_unknown():
    assert available({"tea": 3}, {"tea": 4, "milk": 1}) == {"tea": False, "milk": False}
