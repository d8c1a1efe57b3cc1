"""From a verified fix to everybody, or back: what the user is told, and what is learned of it."""

import pytest

from flags.models import Assignment, Rollout
from flags.phases import RolloutPhase
from flags.services import rollout_move
from healing import replay
from healing.models import HealRun, Pattern, Scenario, Verification
from healing.phases import Phase
from healing.runner import advance
from incidents.models import Incident
from incidents.services import incident_move
from notifications.feed import feed_entry
from notifications.models import OwnerAlert
from workbench.scenario.bench import ArmResult, RunResult

pytestmark = pytest.mark.django_db


@pytest.fixture
def rolling(fixed, host, tmp_path):
    """A run whose verified fix was handed to flags."""
    run = fixed()
    Verification.objects.create(fix=run.fix, verdict="passed")
    for status in ("diagnosing", "fixing", "verifying"):
        assert incident_move(run.incident_id, status, reason="test")
    HealRun.objects.filter(pk=run.pk).update(phase=Phase.ROLLING_OUT, lease_token="", remedy={"kind": "code"})
    assert advance(run.pk) is not None
    run.refresh_from_db()
    return run


def flags_does(run, to, *, member=False):
    rollout = Rollout.objects.get(pk=run.rollout)
    if member:
        Assignment.objects.create(rollout=rollout, subject=run.subject, member="m", phase=to)
    assert rollout_move(rollout.pk, to, from_=RolloutPhase(rollout.phase), reason=f"flags said {to}")
    HealRun.objects.filter(pk=run.pk).update(run_after=run.created_at)
    advance(run.pk)
    run.refresh_from_db()


def stage(run):
    entry = feed_entry(run.subject, run.incident_id)
    return entry.stage if entry else None


def test_flags_gets_the_very_tree_and_the_user_hears_fixed_only_when_on_it(rolling):
    rollout = Rollout.objects.get()
    assert (rollout.release.commit, rollout.release.tree_hash) == (rolling.fix.commit, rolling.fix.tree_hash)
    assert rollout.affected_subject == rolling.subject
    assert rollout.touched_paths == ["shop/client.py"]
    assert stage(rolling) is None, "pending: nothing is live for anybody"
    flags_does(rolling, RolloutPhase.AFFECTED_USER, member=True)
    state = feed_entry(rolling.subject, rolling.incident_id)
    assert (state.stage, state.ask_rating) == ("resolved", True)
    assert state.release.token == Assignment.objects.get().token
    assert Incident.objects.get().status == "deployed"


def test_a_rollback_is_told_honestly_and_speaks_against_the_pattern(rolling, host):
    pattern = Pattern.objects.create(host=host, key="k", title="t", matcher={}, remedy={})
    HealRun.objects.filter(pk=rolling.pk).update(pattern=pattern)
    flags_does(rolling, RolloutPhase.AFFECTED_USER, member=True)
    flags_does(rolling, RolloutPhase.ROLLED_BACK)
    assert rolling.phase == Phase.ROLLED_BACK
    state = feed_entry(rolling.subject, rolling.incident_id)
    assert state.stage == "rolled_back"
    assert state.release is None or state.release.token is None, "the browser deletes the cookie"
    assert Incident.objects.get().status == "escalated"
    assert OwnerAlert.objects.filter(title__startswith="Taken back").exists()
    pattern.refresh_from_db()
    assert (pattern.state, pattern.demotions) == ("demoted", 1)
    advance(rolling.pk)
    pattern.refresh_from_db()
    assert (pattern.uses, pattern.failures) == (1, 1)


def test_full_and_merged_settles_and_teaches(rolling):
    for phase in (RolloutPhase.AFFECTED_USER, RolloutPhase.SIMILAR_USERS, RolloutPhase.FULL):
        flags_does(rolling, phase, member=phase == RolloutPhase.AFFECTED_USER)
    assert rolling.phase == Phase.ROLLING_OUT, "full is still watched"
    Rollout.objects.update(finished_at=rolling.created_at)
    HealRun.objects.update(run_after=rolling.created_at)
    advance(rolling.pk)
    rolling.refresh_from_db()
    assert rolling.phase == Phase.SETTLED
    assert Incident.objects.get().status == "resolved"


def test_asking_twice_makes_one_rollout(rolling):
    HealRun.objects.filter(pk=rolling.pk).update(rollout="", run_after=rolling.created_at)
    advance(rolling.pk)
    assert Rollout.objects.count() == 1
    assert HealRun.objects.get().rollout == Rollout.objects.get().pk


def test_a_move_of_the_rollout_wakes_the_run(rolling, hints, django_capture_on_commit_callbacks):
    rollout = Rollout.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        rollout_move(rollout.pk, RolloutPhase.AFFECTED_USER, from_=RolloutPhase.PENDING, reason="live")
    assert ("healing.advance", rolling.pk) in hints


def test_the_kill_switch_hands_the_fix_to_the_owner_instead_of_releasing_it(fixed, host):
    run = fixed()
    Verification.objects.create(fix=run.fix, verdict="passed")
    HealRun.objects.filter(pk=run.pk).update(phase=Phase.ROLLING_OUT, lease_token="")
    host.killed = True
    host.save()
    assert advance(run.pk) is None
    assert not Rollout.objects.exists()


def test_without_a_passed_verification_nothing_is_released(fixed):
    run = fixed()
    HealRun.objects.filter(pk=run.pk).update(phase=Phase.ROLLING_OUT, lease_token="")
    advance(run.pk)
    run.refresh_from_db()
    assert (run.phase, Rollout.objects.count()) == (Phase.AWAITING_OWNER, 0)


@pytest.mark.parametrize(
    ("verdicts", "answer"),
    [(["passed"] * 3, True), (["passed", "passed", "failed"], False), (["passed", "error", "passed"], None)],
)
def test_a_replay_answers_only_what_it_saw(rolling, monkeypatch, verdicts, answer):
    flags_does(rolling, RolloutPhase.AFFECTED_USER, member=True)
    Rollout.objects.update(replay_wanted_at=rolling.created_at)
    runs = [RunResult(v, "", 1.0) for v in verdicts]
    result = type("Result", (), {"arms": [ArmResult("candidate", runs)]})
    monkeypatch.setattr(replay, "scenario_run", lambda *_, **__: result)
    monkeypatch.setattr(replay.BenchScenario, "model_validate", lambda body: body)
    assert Rollout.objects.get().replay == Scenario.objects.get().pk
    assert replay.replay_answer(rolling.rollout) is answer
    stored = Rollout.objects.get().replay_result
    assert (stored or {}).get("passed") is answer


def test_a_replay_without_a_scenario_answers_nothing(rolling):
    Scenario.objects.all().delete()
    assert replay.replay_answer(rolling.rollout) is None


def test_a_user_who_comes_onto_the_candidate_later_hears_fixed_then_and_once(rolling):
    flags_does(rolling, RolloutPhase.AFFECTED_USER)
    assert stage(rolling) is None, "somebody else's fix is not this user's"
    rollout = Rollout.objects.get()
    Assignment.objects.create(rollout=rollout, subject=rolling.subject, member="m", phase="affected_user")
    HealRun.objects.update(run_after=rolling.created_at)
    advance(rolling.pk)
    entry = feed_entry(rolling.subject, rolling.incident_id)
    assert entry.stage == "resolved"
    rolling.refresh_from_db()
    flags_does(rolling, RolloutPhase.SIMILAR_USERS)
    assert feed_entry(rolling.subject, rolling.incident_id).version == entry.version, "told once"
