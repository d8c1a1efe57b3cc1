"""The way of a candidate, with a real HAProxy and real processes."""

import pytest

from flags.models import Assignment, Release, Rollout
from flags.phases import ReleasePhase, RolloutPhase
from flags.selectors import release_cookie
from flags.services import rollout_replay_result
from flags.signals import replay_wanted, rollout_moved
from tests.flags.conftest import ALICE, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def news():
    """(rollout id, phase) as the layers above hear them."""
    heard = []

    def moved(rollout_id, phase, **_):
        heard.append(phase)

    rollout_moved.connect(moved)
    yield heard
    rollout_moved.disconnect(moved)


@pytest.fixture
def replays():
    """Healing, played at its edge: it answers every wish with five clean runs unless told otherwise."""
    heard = []

    def wanted(rollout_id, **_):
        heard.append(rollout_id)

    replay_wanted.connect(wanted)
    yield heard
    replay_wanted.disconnect(wanted)


def test_only_the_affected_user_gets_the_candidate(stage):
    rollout = stage.admitted()
    token = stage.token(rollout)
    assert stage.who_answers(token) == "candidate"
    assert stage.who_answers() == "stable"
    assert stage.who_answers("x" * 43) == "stable"
    assert release_cookie(rollout.pk, stage.subject(ALICE)) == {"cookie": "kriptik_release", "token": token}
    assert release_cookie(rollout.pk, stage.subject("bob")) is None


def test_a_good_candidate_goes_all_the_way_on_replay_evidence(stage, news, replays):
    rollout = stage.admitted()
    old_stable = stage.stable.pk
    for phase in (RolloutPhase.SIMILAR_USERS, RolloutPhase.FULL):
        stage.time_over(rollout)
        stage.look(rollout)
        assert rollout.replay_wanted_at is not None
        assert rollout_replay_result(rollout.pk, True, 5)
        stage.time_over(rollout)
        stage.look(rollout)
        assert rollout.phase == phase, rollout.reason
        assert "advanced on replay evidence (5 clean runs), 0 live requests" in rollout.reason
    stage.look(rollout)
    assert stage.who_answers() == "candidate", "everyone is on it while it is watched"
    stage.time_over(rollout)
    stage.look(rollout)
    assert rollout.finished_at is not None and rollout.merged_commit == stage.repository.head()
    assert stage.who_answers() == "candidate"
    assert Release.objects.get(pk=rollout.release_id).kind == "stable"
    assert Release.objects.get(pk=old_stable).drain_until is not None
    assert news == ["affected_user", "similar_users", "full"]
    assert replays == [rollout.pk, rollout.pk]
    rollout.flag.refresh_from_db()
    assert rollout.flag.everyone is True


def test_a_replay_that_takes_longer_than_the_phase_is_waited_for(stage, settings):
    settings.ROLLOUT_CLOCK = 0.00001
    rollout = stage.admitted()
    for _ in range(4):
        stage.look(rollout)
    assert rollout.phase == RolloutPhase.AFFECTED_USER and not rollout.extended
    assert rollout.reason.startswith("waits for the replay")
    rollout_replay_result(rollout.pk, True, 5)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.SIMILAR_USERS


def test_a_failed_replay_takes_it_back(stage, settings):
    settings.ROLLOUT_CLOCK = 0.00001
    rollout = stage.admitted()
    stage.look(rollout)
    rollout_replay_result(rollout.pk, False, 5)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK and "replayed" in rollout.reason


def test_live_requests_of_the_user_on_the_touched_route_advance_it(stage):
    rollout = stage.admitted()
    stage.request(token=stage.token(rollout))
    stage.read_log(1, release=rollout.release_id)
    stage.time_over(rollout)
    Rollout.objects.filter(pk=rollout.pk).update(cursor=0)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.SIMILAR_USERS
    assert "1 live request, nothing wrong" in rollout.reason


def test_the_trouble_coming_back_takes_everything_back(stage, news, mailoutbox):
    rollout = stage.admitted()
    token = stage.token(rollout)
    stage.request("/studio", token, Accept="text/html")
    stage.read_log(1, release=rollout.release_id)
    stage.look(rollout)
    assert Assignment.objects.get(rollout=rollout).landed_at is not None
    stage.report()
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK
    assert rollout.reason == "the trouble came back for 1 user of the candidate"
    assert rollout.finished_at is not None and rollout.proof["proved"], rollout.proof
    assert [step["step"] for step in rollout.proof["steps"]] == ["route", "sever", "forget", "stop", "probe"]
    assert stage.who_answers(token) == "stable"
    assert stage.process_is_gone(rollout.release_id)
    assert Release.objects.get(pk=rollout.release_id).phase == ReleasePhase.STOPPED
    assert release_cookie(rollout.pk, stage.subject(ALICE)) is None
    history = list(rollout.transitions.values_list("from_phase", "to_phase"))
    assert history == [("pending", "affected_user"), ("affected_user", "rolled_back")]
    flag = rollout.flag
    flag.refresh_from_db()
    assert flag.killed and flag.history.last().reason == rollout.reason
    assert news == ["affected_user", "rolled_back"]


def test_what_was_reported_on_stable_is_not_held_against_the_candidate(stage):
    rollout = stage.admitted()
    stage.report()
    assert stage.look(rollout).phase == RolloutPhase.AFFECTED_USER


def test_reports_without_identity_take_nothing_back(stage):
    rollout = stage.admitted()
    stage.request("/studio", stage.token(rollout), Accept="text/html")
    stage.read_log(1, release=rollout.release_id)
    stage.look(rollout)
    for _ in range(20):
        stage.report(verified=False)
    assert stage.look(rollout).phase == RolloutPhase.AFFECTED_USER


def test_a_candidate_that_fails_on_the_touched_route_goes_back(stage):
    rollout = stage.admitted(fails=["/api/generate"])
    assert stage.request(token=stage.token(rollout)).status_code == 500
    stage.read_log(1, release=rollout.release_id)
    Rollout.objects.filter(pk=rollout.pk).update(cursor=0)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK
    assert "answered /api/generate" in rollout.reason


def test_a_candidate_that_dies_at_start_never_gets_a_user(stage):
    rollout = stage.rollout(dies_at_start=True)
    wait_for(lambda: stage.look(rollout).phase != RolloutPhase.PENDING)
    assert rollout.phase == RolloutPhase.ROLLED_BACK
    assert "no module named gone" in rollout.reason
    assert not rollout.assignments.exists()


def test_a_candidate_that_dies_under_its_user_goes_back_and_stable_answers_meanwhile(stage):
    rollout = stage.admitted(dies_on="/studio")
    token = stage.token(rollout)
    assert stage.who_answers(token, "/studio") == "stable", "a GET is answered though the candidate died"
    wait_for(lambda: stage.look(rollout).phase == RolloutPhase.ROLLED_BACK)
    assert "the candidate's process died" in rollout.reason


def test_without_traffic_or_replay_it_is_extended_once_then_held_then_taken_back(stage):
    rollout = stage.admitted()
    stage.let_time_pass(rollout, lambda: rollout.extended)
    assert rollout.phase == RolloutPhase.AFFECTED_USER
    stage.let_time_pass(rollout, lambda: rollout.phase != RolloutPhase.AFFECTED_USER)
    assert rollout.phase == RolloutPhase.HELD and rollout.deadline is not None
    assert rollout.reason.startswith("the user has made no request")
    assert stage.who_answers(stage.token(rollout)) == "candidate", "held means that its members stay"
    stage.time_over(rollout)
    stage.look(rollout)
    assert rollout.phase == RolloutPhase.ROLLED_BACK
    assert "nobody decided in time" in rollout.reason
