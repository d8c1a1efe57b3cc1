"""The incident's machine: where it must be able to go, whatever happens."""

import pytest

from incidents.phases import INCIDENT, Status


def reachable(start):
    seen, todo = set(), [start]
    while todo:
        phase = todo.pop()
        if phase not in seen:
            seen.add(phase)
            todo += INCIDENT.moves[phase]
    return seen


@pytest.mark.parametrize("status", Status)
def test_every_state_can_be_reached_and_left(status):
    assert status in reachable(Status.DETECTED)
    assert INCIDENT.moves[status], "an incident is never lost in a state"


@pytest.mark.parametrize("status", [s for s in Status if not s.is_settled])
def test_whoever_is_at_work_can_give_up_and_the_owner_can_dismiss(status):
    assert INCIDENT.moves[status] >= {Status.ESCALATED, Status.DISMISSED}


def test_a_settled_incident_comes_back_only_as_detected_or_by_the_owners_hand():
    assert INCIDENT.moves[Status.RESOLVED] == INCIDENT.moves[Status.DISMISSED] == {Status.DETECTED}
