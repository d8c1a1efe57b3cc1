"""Healthy outcomes: one row per shape, counted, bounded."""

import json

import pytest

from incidents.models import Outcome
from incidents.services import outcome_store
from incidents.services.evidence import OUTCOME_SHAPES, OUTCOME_USERS
from incidents.wire import Outcome as WireOutcome

ELEMENT = {"tag": "button", "fingerprint": "button[generate]", "locators": []}


def outcome(**values):
    body = {
        "route": "/studio/17",
        "element": ELEMENT,
        "at": 1,
        "ms": 300,
        "requests": [{"method": "POST", "path": "/api/jobs/17", "status": 202}],
        "navigated": None,
        "appeared": [{"by": "testid", "value": "progress"}],
    }
    return WireOutcome.model_validate(body | values)


def test_the_same_shape_of_many_users_is_one_row(session_of):
    for number, user in enumerate(["alice", "bob", "alice"]):
        request = {"method": "POST", "path": f"/api/jobs/{number}", "status": 202}
        outcome_store(session=session_of(user), outcome=outcome(requests=[request], ms=number))
    row = Outcome.objects.get()
    assert (row.route, row.count, len(row.users), row.payload["ms"]) == ("/studio/:id", 3, 2, 2)
    assert "alice" not in json.dumps(row.users), "a hash: who did it is nobody's business here"


@pytest.mark.parametrize(
    "other",
    [
        {"requests": [{"method": "POST", "path": "/api/jobs/1", "status": 500}]},
        {"appeared": []},
        {"navigated": "/done"},
        {"route": "/credits"},
    ],
)
def test_another_shape_is_another_row(session_of, other):
    outcome_store(session=session_of(), outcome=outcome())
    outcome_store(session=session_of(), outcome=outcome(**other))
    assert Outcome.objects.count() == 2


def test_nobody_can_fill_the_table(session_of):
    session = session_of()
    stored = [
        outcome_store(session=session, outcome=outcome(navigated=f"/page{chr(97 + n)}"))
        for n in range(OUTCOME_SHAPES + 3)
    ]
    assert stored[-1] is None
    assert Outcome.objects.count() == OUTCOME_SHAPES


def test_the_list_of_users_is_bounded(session_of):
    for _ in range(OUTCOME_USERS + 3):
        outcome_store(session=session_of(), outcome=outcome())
    row = Outcome.objects.get()
    assert (row.count, len(row.users)) == (OUTCOME_USERS + 3, OUTCOME_USERS)
