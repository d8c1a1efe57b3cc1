from program import count


def test_words():
    assert count("One two, two. Three!") == {"one": 1, "two": 2, "three": 1}


def test_nothing():
    assert count("") == {}
