"""The runbook rung, on a real host over its signed HTTP contract."""

from datetime import timedelta

import pytest
import time_machine

from core import clock
from flags.models import KillSwitch
from healing.bench import pulse_of
from healing.errors import HealRefused, StepPostponed
from healing.models import HealRun, Pattern, PatternState, RunbookUse, ThinkingRecord
from healing.phases import Origin, Phase
from healing.runner import advance
from healing.services import run_open, run_open_brief, runbook_approve
from healing.tasks import heal_sweep
from incidents.models import Feedback, Incident, Session
from notifications.feed import feed_entry
from notifications.models import OwnerAlert
from tests.healing.conftest import heal, incident_of, path_of, report_add

pytestmark = pytest.mark.django_db


@pytest.fixture
def short(shop):
    """A user whose balance lags behind the ledger."""
    shop.balance["u1"], shop.ledger["u1"] = 50, 150
    return shop


def test_credits_are_resynced_and_the_user_is_told(host, short):
    incident = incident_of(host)
    run = heal(incident)
    assert run.phase == Phase.SETTLED, run.outcome
    assert short.balance["u1"] == 150
    assert path_of(run) == ["triaging", "diagnosing", "remediating", "settled"]
    assert incident.status == "resolved"
    state = feed_entry(run.subject, incident.pk)
    assert state.stage == "resolved"
    assert state.ask_rating
    use = RunbookUse.objects.get()
    assert use.changed == {"balance": [50, 150]}
    assert (use.facts_before["balance"], use.facts_after["balance"]) == (50, 150)


def test_all_six_phases_are_stored_and_say_that_they_run_on_rules(host, short):
    run = heal(incident_of(host))
    thoughts = list(ThinkingRecord.objects.filter(run=run).values_list("phase", "record__engine"))
    assert [p for p, _ in thoughts] == [
        "DECOMPOSE",
        "PRIOR_KNOWLEDGE",
        "EXPLORE",
        "CRITIQUE",
        "SYNTHESIZE",
        "VERIFY",
    ]
    assert {engine for _, engine in thoughts} == {"rules"}
    assert "credits_match_ledger is broken for this user" in str(run.thoughts.last().record)


def test_the_second_user_is_healed_by_the_learned_pattern_without_diagnosis(host, short):
    heal(incident_of(host))
    short.balance["u2"], short.ledger["u2"] = 1, 2
    run = heal(incident_of(host, user="u2"))
    assert run.phase == Phase.SETTLED
    assert path_of(run) == ["triaging", "remediating", "settled"]
    pattern = Pattern.objects.get()
    assert (pattern.uses, pattern.successes) == (2, 2)
    assert pattern.state == PatternState.ACTIVE


def test_a_runbook_whose_invariant_still_fails_is_undone_and_given_to_the_owner(host, short):
    short.resync_to = 99
    incident = incident_of(host)
    run = heal(incident)
    assert run.phase == Phase.GAVE_UP
    assert short.balance["u1"] == 50, "the inverse put the old balance back"
    assert [name for name, _ in short.applied] == ["resync_credits", "restore_credits"]
    assert RunbookUse.objects.get().state == "undone"
    assert incident.status == "escalated"
    assert feed_entry(run.subject, incident.pk).stage == "escalated"
    assert OwnerAlert.objects.get().priority == "P1"
    assert not Pattern.objects.exists(), "what did not hold teaches no remedy"


def test_an_undo_that_fails_wakes_the_owner(host, short):
    short.resync_to, short.undo_fails = 99, True
    run = heal(incident_of(host))
    assert run.phase == Phase.GAVE_UP
    assert RunbookUse.objects.get().state == "stuck"
    assert OwnerAlert.objects.get().priority == "P0"


def test_a_runbook_whose_invariant_holds_already_changes_nothing(host, shop):
    shop.balance["u1"] = shop.ledger["u1"] = 7
    run = heal(incident_of(host))
    assert run.phase == Phase.GAVE_UP
    assert "no cause found" in run.outcome
    assert shop.applied == []


def test_an_unverified_reporter_gets_a_diagnosis_and_no_runbook(host, short):
    incident = incident_of(host, user=None)
    run = heal(incident)
    assert run.phase == Phase.GAVE_UP
    assert "identity" in run.outcome
    assert run.diagnosis["remedy"]["name"] == "resync_credits"
    assert short.applied == []
    assert incident.status == "escalated"


def test_a_pattern_starts_no_runbook_for_an_unverified_reporter_either(host, short):
    heal(incident_of(host))
    short.applied.clear()
    run = heal(incident_of(host, user=None))
    assert run.phase == Phase.GAVE_UP
    assert short.applied == []


def test_a_remedy_that_cools_down_is_waited_for_and_then_heals(host, short):
    with time_machine.travel("2026-11-22T12:00:00Z", tick=False) as clock:
        heal(incident_of(host))
        short.balance["u1"] = 1
        clock.shift(20)
        run = heal(incident_of(host))
        assert run.phase == Phase.REMEDIATING
        assert [name for name, _ in short.applied] == ["resync_credits"]
        assert advance(run.pk) is None, "not before its time, however often it is asked"
        clock.shift(41)
        run = heal(run.incident)
        assert run.phase == Phase.SETTLED
        assert [name for name, _ in short.applied] == ["resync_credits", "resync_credits"]


def test_a_cooldown_that_is_long_keeps_the_same_action_from_running_again(host, short, monkeypatch):
    monkeypatch.setattr("healing.limits.COOLDOWN_WAIT_S", 10)
    heal(incident_of(host))
    short.balance["u1"] = 1
    run = heal(incident_of(host))
    assert run.phase == Phase.GAVE_UP
    assert "cooldown" in str(run.tried)
    assert [name for name, _ in short.applied] == ["resync_credits"]


def test_the_daily_cap_of_runbooks_for_one_user(host, short, monkeypatch):
    monkeypatch.setattr("healing.limits.RUNBOOKS_PER_USER_PER_DAY", 0)
    run = heal(incident_of(host))
    assert "the cap is 0" in str(run.tried)
    assert short.applied == []


def answer(incident: Incident, choice: str) -> None:
    session = Session.objects.get(subject=incident.subject)
    Feedback.objects.create(
        incident=incident,
        session=session,
        client_event_id="e",
        kind="answer",
        subject=incident.subject,
        question="refresh_session",
        choice=choice,
    )


@pytest.mark.parametrize("choice", ["yes", "no"])
def test_the_manifests_question_is_asked_first_and_only_its_yes_proceeds(host, shop, hints, choice):
    incident = incident_of(host, kind="AUTH_ISSUE", route="/login", reasons=["login_then_expired"])
    run = heal(incident)
    assert run.phase == Phase.NEEDS_INPUT
    assert shop.applied == []
    assert feed_entry(run.subject, incident.pk).question.text == "Did you change your password?"
    assert advance(run.pk) is None, "nothing moves while we wait"
    answer(incident, choice)
    heal_sweep()
    assert ("healing.advance", run.pk) in hints
    run = heal(incident)
    if choice == "yes":
        assert (run.phase, shop.sessions_ok) == (Phase.SETTLED, {"u1"})
    else:
        assert (run.phase, shop.applied) == (Phase.GAVE_UP, [])
        assert "a person must look" in run.outcome


def test_a_question_without_an_answer_ends_at_its_deadline(host, shop):
    incident = incident_of(host, kind="AUTH_ISSUE", reasons=["login_then_expired"])
    run = heal(incident)
    HealRun.objects.filter(pk=run.pk).update(wait_until=clock.now())
    advance(run.pk)
    run.refresh_from_db()
    assert run.phase == Phase.GAVE_UP
    assert "deadline" in run.outcome


def test_at_propose_the_owner_approves_each_runbook(host, short):
    host.autonomy = "propose"
    host.save()
    incident = incident_of(host)
    run = heal(incident)
    assert (run.phase, incident.status) == (Phase.AWAITING_OWNER, "awaiting_owner")
    assert short.applied == []
    assert OwnerAlert.objects.filter(title__startswith="Your decision").exists()
    assert runbook_approve(run.pk, "mia@forge.example")
    run = heal(incident)
    assert run.phase == Phase.SETTLED
    assert short.balance["u1"] == 150


def test_at_observe_nothing_is_touched(host, short):
    host.autonomy = "observe"
    host.save()
    run = heal(incident_of(host))
    assert run.phase == Phase.GAVE_UP
    assert "observe" in run.outcome
    assert short.applied == []


def test_a_host_that_is_down_is_tried_again_and_then_given_to_the_owner(host, short):
    Hosts = type(host).objects
    Hosts.filter(pk=host.pk).update(base_url="http://127.0.0.1:9")
    incident = incident_of(host)
    run = run_open(incident.pk)
    for _ in range(12):
        HealRun.objects.filter(pk=run.pk).update(run_after=clock.now())
        advance(run.pk)
    run.refresh_from_db()
    assert run.phase == Phase.DIAGNOSING
    assert "did not answer" in run.last_error
    heal_sweep()
    run.refresh_from_db()
    assert run.phase == Phase.GAVE_UP
    assert "dead letter" in run.outcome
    assert OwnerAlert.objects.count() == 1


@pytest.mark.parametrize("switch", ["host", "global"])
def test_the_kill_switch_stops_a_run_between_two_steps(host, short, switch):
    incident = incident_of(host)
    run = run_open(incident.pk)
    advance(run.pk)
    if switch == "host":
        type(host).objects.filter(pk=host.pk).update(killed=True)
    else:
        KillSwitch.objects.create(reason="stop", actor="mia")
    assert advance(run.pk) is None
    run.refresh_from_db()
    assert run.phase == Phase.TRIAGING
    with pytest.raises(HealRefused, match="kill switch"):
        run_open(incident_of(host, user="u9").pk)


def test_the_hourly_cap_refuses_and_the_sweep_takes_it_up_later(host, short, settings, hints):
    settings.HEALS_PER_HOUR = 0
    incident = incident_of(host)
    with pytest.raises(HealRefused, match="cap is 0"):
        run_open(incident.pk)
    heal_sweep()
    assert ("healing.open", incident.pk) in hints


def test_anonymous_runs_use_up_only_their_own_cap(host, short, settings):
    settings.HEALS_PER_HOUR = 2
    for _ in range(2):
        run_open(incident_of(host, user=None).pk)
    with pytest.raises(HealRefused, match="2 anonymous heal runs in the last hour; the cap is 2"):
        run_open(incident_of(host, user=None).pk)
    assert run_open(incident_of(host).pk).verified
    run_open_brief(host=host, origin=Origin.QUICK_FIX, brief="mend it", actor="mia")
    with pytest.raises(HealRefused, match="2 heal runs in the last hour; the cap is 2"):
        run_open(incident_of(host, user="u2").pk)


def test_every_affected_user_gets_a_run_and_the_incident_is_resolved_after_the_last(host, short, hints):
    incident = incident_of(host)
    other = Session.objects.create(
        host=host, capability_hash="h", subject=f"host:{host.pk}:user:u2", user="u2"
    )
    report_add(incident, other, other.subject, True)
    short.balance["u2"], short.ledger["u2"] = 3, 4
    first = heal(incident)
    incident.refresh_from_db()
    assert (first.phase, incident.status) == (Phase.SETTLED, "diagnosing")
    heal_sweep()
    assert ("healing.open", incident.pk) in hints
    second = heal(incident)
    assert {first.user, second.user} == {"u1", "u2"}
    assert incident.status == "resolved"
    assert short.balance == {"u1": 150, "u2": 4}
    for run in (first, second):
        assert feed_entry(run.subject, incident.pk).stage == "resolved"


def test_a_comeback_for_the_same_user_demotes_the_pattern_and_two_retire_it(host, short):
    incident = incident_of(host)
    for state in (PatternState.DEMOTED, PatternState.RETIRED):
        heal(incident)
        RunbookUse.objects.update(at=clock.now() - timedelta(hours=1))
        Incident.objects.filter(pk=incident.pk).update(status="detected", opened_at=clock.now())
        incident.reports.update(received_at=clock.now())
        short.balance["u1"] = 50
        run_open(incident.pk)
        assert Pattern.objects.get().state == state
    assert heal(incident).phase == Phase.SETTLED, "a retired pattern is diagnosed anew"


def test_what_the_host_says_of_the_account_is_part_of_the_evidence(host, short):
    run = heal(incident_of(host))
    assert run.evidence["account"] == {"trust": "server", "value": {"plan": "pro", "role": "", "facts": {}}}


def test_a_kill_in_the_middle_of_a_long_step_ends_it(host, short):
    run = run_open(incident_of(host).pk)
    pulse = pulse_of(run)
    pulse()
    KillSwitch.objects.create(reason="stop", actor="mia")
    with pytest.raises(StepPostponed, match="kill switch"):
        pulse()
