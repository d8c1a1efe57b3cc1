from program import may_edit, visible

MIA = {"id": 1, "active": True}
BOB = {"id": 2, "active": False}


def test_owner():
    assert may_edit(MIA, {"id": 7, "owner": 1})


def test_inactive():
    assert not may_edit(BOB, {"id": 7, "owner": 2})


def test_stranger():
    assert visible(MIA, [{"id": 7, "owner": 1}, {"id": 8, "owner": 2}]) == [7]
