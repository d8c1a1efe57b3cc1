from program import Person, Ticket, label


def test_owned():
    assert label(Ticket("Leak", Person("Mia"))) == "Leak (Mia)"


def test_nobody():
    assert label(Ticket("Leak")) == "Leak"
