"""The verdict of one look."""

from dataclasses import replace

import pytest

from flags.judge import Evidence, Verdict, judge
from flags.phases import RolloutPhase
from flags.sequential import EProcess

ONE = Evidence(
    phase=RolloutPhase.AFFECTED_USER,
    telemetry_age_s=0.5,
    requests=3,
    touched_requests=1,
    has_touched_routes=True,
)
TENTH = replace(ONE, phase=RolloutPhase.SIMILAR_USERS, requests=80)
ALL = replace(ONE, phase=RolloutPhase.FULL, requests=500)


def verdict(evidence, **changes):
    return judge(replace(evidence, **changes)).verdict


@pytest.mark.parametrize("evidence", [ONE, TENTH, ALL])
def test_enough_was_seen_and_nothing_was_wrong(evidence):
    found = judge(evidence)
    assert found.verdict == Verdict.HEALTHY
    assert "nothing wrong" in found.reasons[0]


@pytest.mark.parametrize("evidence", [ONE, TENTH, ALL])
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ({"recurrences": frozenset({"u1"})}, "came back for 1 user"),
        ({"process_alive": False}, "process died"),
        ({"health_failures": 2}, "health check 2 times"),
        ({"new_troubles": {"v1:new": 2}}, "a new trouble"),
        ({"replay_passed": False}, "recorded failure shows again"),
        ({"errors": EProcess(log_peak=9, canary_bad=5, canary=10, control=90)}, "5 of 10 against 0 of 90"),
        ({"slow": EProcess(log_peak=9)}, "slower"),
    ],
)
def test_harm_is_harm_in_every_phase_and_even_when_half_blind(evidence, harm, told):
    for age in (0.5, None):
        found = judge(replace(evidence, telemetry_age_s=age, **harm))
        assert found.verdict == Verdict.DEGRADED
        assert told in found.reasons[0]


def test_one_failed_health_check_is_no_harm_yet():
    assert verdict(ONE, health_failures=1) == Verdict.HEALTHY


def test_a_server_error_on_a_touched_route_counts_at_once_for_the_one_user():
    assert verdict(ONE, server_errors={"/api/generate": 1}) == Verdict.DEGRADED


def test_among_a_tenth_it_takes_two_users_and_among_all_the_rates_decide():
    assert verdict(TENTH, server_errors={"/api/generate": 1}) == Verdict.HEALTHY
    assert verdict(TENTH, server_errors={"/api/generate": 2}) == Verdict.DEGRADED
    assert verdict(ALL, server_errors={"/api/generate": 2}) == Verdict.HEALTHY


def test_a_new_trouble_of_one_user_among_a_tenth_is_not_enough():
    assert verdict(TENTH, new_troubles={"v1:new": 1}) == Verdict.HEALTHY
    assert verdict(ONE, new_troubles={"v1:new": 1}) == Verdict.DEGRADED


@pytest.mark.parametrize("age", [None, 60.0])
def test_no_telemetry_is_unknown_and_not_no_traffic(age):
    assert verdict(ONE, telemetry_age_s=age) == Verdict.UNKNOWN
    assert verdict(ONE, telemetry_age_s=age, requests=0, touched_requests=0) == Verdict.UNKNOWN


def test_the_one_user_must_have_used_what_was_fixed():
    found = judge(replace(ONE, touched_requests=0))
    assert found.verdict == Verdict.INSUFFICIENT
    assert "routes that the fix touched" in found.reasons[0]
    assert verdict(ONE, touched_requests=0, has_touched_routes=False) == Verdict.HEALTHY


def test_too_few_requests_of_a_tenth_say_what_they_could_have_shown():
    found = judge(replace(TENTH, requests=29))
    assert found.verdict == Verdict.INSUFFICIENT
    assert found.reasons == (
        "29 live requests of 59 needed, which would have shown an error rate of 10% or more",
    )
    assert found.detectable == pytest.approx(0.098, abs=0.001)


def test_without_any_request_nothing_could_have_been_shown():
    found = judge(replace(TENTH, requests=0))
    assert found.verdict == Verdict.INSUFFICIENT and found.detectable is None


def test_every_harm_is_told():
    found = judge(replace(ONE, process_alive=False, recurrences=frozenset({"a", "b"})))
    assert len(found.reasons) == 2
    assert found.as_json()["verdict"] == "degraded"
