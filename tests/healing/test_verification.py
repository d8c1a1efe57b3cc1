"""A bad fix is refused: by the bench, by the host's tests, by the log, by the gate. The bench is played."""

from pathlib import Path

import pytest

from healing.errors import ApprovalRefused
from healing.models import Fix
from healing.oracle import base_runs_needed
from healing.outcomes import Verdict
from healing.phases import Phase
from healing.policy.diff_gate import Decision
from healing.services import fix_approve
from healing.steps import roll_out, verify
from healing.swarm.host_tests import SuiteRun, compare, host_tests, statuses_of
from healing.swarm.shapes import Check, verdict_of
from healing.swarm.static import runtime_log
from tests.healing.conftest import CLIENT
from workbench.sandbox import sandbox_open
from workbench.scenario.bench import ArmResult, RunResult


@pytest.fixture
def bench(monkeypatch):
    """Plays the bench and the host's tests: each test says what the real ones would have seen."""
    seen = {"clone": ["passed"] * 5, "generic": ["passed"] * 5, "base": ["failed"], "log": []}
    seen["tests"] = (Verdict.PASSED, "ok")

    def arms_run(_run, _manifest, _body, arms):
        rows = [seen["clone"], seen["generic"], seen["base"]]
        return [
            ArmResult(
                arm.name,
                [RunResult(v, f"it {v}", 1.0, server_errors=list(seen["log"]) if i < 2 else []) for v in row],
            )
            for i, (arm, row) in enumerate(zip(arms, rows, strict=True))
        ]

    monkeypatch.setattr(verify, "arms_run", arms_run)
    monkeypatch.setattr(verify, "_host_tests", lambda *_: Check("host tests", *seen["tests"]))
    monkeypatch.setattr(verify, "visual", lambda *_: Check("visual", Verdict.PASSED, "fine"))
    monkeypatch.setattr(verify, "evidence_load", lambda _: NoWords)
    return seen


class NoWords:
    text, console, error = "", (), None


def test_five_and_five_and_everything_else_is_tier_0(fixed, bench):
    run = fixed()
    outcome = verify.step(run)
    assert (outcome.verdict, outcome.tier0) == (Verdict.PASSED, True), outcome.reason
    assert roll_out.release_problem(run, run.fix) is None


@pytest.mark.parametrize(
    ("what", "value", "told"),
    [
        ("clone", ["failed"] * 5, "0 of 5 passed"),
        ("clone", ["passed"] * 4 + ["failed"], "4 of 5 passed"),
        ("generic", ["failed"] * 5, "generic account"),
        ("log", ["ValueError: new trouble"], "a new error"),
        ("tests", (Verdict.FAILED, "1 test(s) newly fail"), "newly fail"),
    ],
)
def test_a_fix_that_fails_one_check_is_refused_for_good(fixed, bench, what, value, told):
    bench[what] = value
    run = fixed()
    outcome = verify.step(run)
    assert (outcome.verdict, outcome.tier0) == (Verdict.FAILED, False)
    assert told in outcome.reason
    fix = Fix.objects.get()
    assert "verification failed" in fix.refused
    with pytest.raises(ApprovalRefused, match="may never be released"):
        fix_approve(fix.pk, fix.tree_hash, "mia")
    assert roll_out.release_problem(run, fix) is not None


@pytest.mark.parametrize(
    ("what", "value"), [("base", ["passed"]), ("tests", (Verdict.INCONCLUSIVE, "fails on base already"))]
)
def test_what_proves_nothing_goes_to_the_owner(fixed, bench, what, value):
    bench[what] = value
    assert verify.step(fixed()).verdict == Verdict.INCONCLUSIVE


def test_runs_that_could_not_be_judged_are_no_success(fixed, bench):
    bench["clone"] = ["passed"] * 4 + ["error"]
    assert verify.step(fixed()).verdict == Verdict.ERROR


@pytest.mark.parametrize(
    ("content", "path", "told"),
    [
        ("x = 2\n", "shop/billing/ledger.py", "protected"),
        (CLIENT.replace("return response.json()", "return eval(response.text)"), "shop/client.py", "eval"),
    ],
)
def test_a_commit_that_touches_what_it_may_not_is_refused_whatever_the_stored_verdict_says(
    fixed, bench, content, path, told
):
    run = fixed(content, path)
    assert run.fix.gate["decision"] == Decision.TIER0
    outcome = verify.step(run)
    assert outcome.verdict == Verdict.FAILED
    assert told in outcome.reason


def test_a_fix_outside_of_its_intent_is_refused(fixed, bench):
    run = fixed(lock_path="shop/other.py")
    assert "intent lock" in verify.step(run).reason


def test_an_intent_changed_after_the_edit_is_refused(fixed, bench):
    run = fixed()
    Fix.objects.update(intent={**run.fix.intent, "statement": "Make everyone an admin"})
    run.fix.refresh_from_db()
    assert "changed after the edit" in verify.step(run).reason


def test_at_propose_a_verified_fix_waits_and_the_approval_is_bound_to_the_tree(fixed, bench, host):
    host.autonomy = "propose"
    host.save()
    run = fixed()
    run.host.refresh_from_db()
    outcome = verify.step(run)
    assert (outcome.verdict, outcome.tier0) == (Verdict.PASSED, False)
    assert "propose" in roll_out.release_problem(run, run.fix)
    type(run).objects.filter(pk=run.pk).update(phase=Phase.AWAITING_OWNER)
    with pytest.raises(ApprovalRefused, match="look at the diff again"):
        fix_approve(run.fix.pk, "0" * 40, "mia")
    assert fix_approve(run.fix.pk, run.fix.tree_hash, "mia")
    run.refresh_from_db()
    assert run.phase == Phase.ROLLING_OUT
    assert roll_out.release_problem(run, run.fix) is None


def test_a_ref_moved_after_verification_is_not_released(fixed, bench):
    run = fixed()
    verify.step(run)
    run.fix.commit = run.fix.base_commit
    assert "not the tree" in roll_out.release_problem(run, run.fix)


def test_an_unverified_reporter_gets_no_rollout(fixed, bench):
    run = fixed()
    verify.step(run)
    run.verified = False
    assert "identity" in roll_out.release_problem(run, run.fix)


PASS = {"a": "PASSED", "b": "PASSED", "c": "FAILED"}


@pytest.mark.parametrize(
    ("after", "code", "verdict"),
    [
        (PASS, 1, Verdict.PASSED),
        ({**PASS, "c": "PASSED"}, 0, Verdict.PASSED),
        ({**PASS, "b": "FAILED"}, 1, Verdict.FAILED),
        ({**PASS, "b": "ERROR"}, 1, Verdict.FAILED),
        ({**PASS, "b": "SKIPPED"}, 1, Verdict.FAILED),
        ({**PASS, "b": "XFAIL"}, 1, Verdict.FAILED),
        ({"a": "PASSED", "c": "FAILED"}, 1, Verdict.FAILED),
        ({}, None, Verdict.ERROR),
    ],
)
def test_a_skipped_weakened_or_missing_test_is_a_failure(after, code, verdict):
    assert compare(SuiteRun(1, PASS), SuiteRun(code, after))[0] == verdict


def test_a_runner_without_names_is_judged_by_its_exit_code():
    assert compare(SuiteRun(0), SuiteRun(0))[0] == Verdict.PASSED
    assert compare(SuiteRun(0), SuiteRun(1))[0] == Verdict.FAILED
    assert compare(SuiteRun(1), SuiteRun(0))[0] == Verdict.INCONCLUSIVE


def test_an_error_that_base_shows_too_is_not_new():
    def arm(*lines):
        return ArmResult("x", [RunResult("passed", "", 1.0, server_errors=list(lines))])

    assert runtime_log([arm("took 12 ms")], [arm("took 99 ms")]).verdict == Verdict.PASSED
    assert runtime_log([arm("took 12 ms")], [arm("KeyError: 'x'")]).verdict == Verdict.FAILED


def test_one_failure_outweighs_every_pass():
    good, bad, unclear = (
        Check(v.value, v, v.value) for v in (Verdict.PASSED, Verdict.FAILED, Verdict.INCONCLUSIVE)
    )
    assert verdict_of([good, unclear, bad])[0] == Verdict.FAILED
    assert verdict_of([good, unclear])[0] == Verdict.INCONCLUSIVE
    assert verdict_of([good, Check("visual", Verdict.INCONCLUSIVE, "same")])[0] == Verdict.PASSED


def test_a_flaky_base_is_run_more_often_and_one_that_never_fails_is_not():
    assert base_runs_needed(5, 5, 0.01, 15) == 5
    assert 5 < base_runs_needed(3, 5, 0.01, 15) <= 15
    assert base_runs_needed(0, 5, 0.01, 15) is None


def test_the_statement_of_the_intent_names_type_and_user(fixed):
    assert fixed().fix.intent["statement"] == "Fix ERROR for user u1 without breaking anything"
    assert Path(Fix.objects.get().ref).name


SUMMARY = """
PASSED tests/test_a.py::test_plain
PASSED tests/test_a.py::test_many[two words - and a dash]
FAILED tests/test_a.py::test_bad - AssertionError: assert 1 == 2
SKIPPED [1] tests/test_a.py:3: not today
3 passed in 0.1s
"""


def test_pytests_own_summary_is_read():
    statuses = statuses_of(SUMMARY)
    assert statuses["tests/test_a.py::test_plain"] == "PASSED"
    assert statuses["tests/test_a.py::test_bad"] == "FAILED"
    assert "SKIPPED" in statuses.values()
    assert statuses_of("a.py::x\na.py::y\n\n2 tests collected in 0.01s\n", collect_only=True) == {
        "a.py::x": "PASSED",
        "a.py::y": "PASSED",
    }


TESTS = "import sys\nsys.path.insert(0, '.')\nfrom shop import f\n\ndef test_a():\n    assert f() == 1\n"


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("shop", "tests", "verdict"),
    [
        ("def f():\n    return 1\n", TESTS, Verdict.PASSED),
        ("def f():\n    return 2\n", TESTS, Verdict.FAILED),
        ("import pytest\npytest.skip('no', allow_module_level=True)\n", TESTS, Verdict.FAILED),
        ("def f():\n    return 1\n", TESTS.replace("test_a", "nothing"), Verdict.FAILED),
    ],
)
def test_the_hosts_tests_really_run_in_the_sandbox(tmp_path, shop, tests, verdict):
    for name, code, suite in (("base", "def f():\n    return 1\n", TESTS), ("fix", shop, tests)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "shop.py").write_text(code)
        (tmp_path / name / "test_shop.py").write_text(suite)
    command = "python -m pytest -q test_shop.py"
    check = host_tests(sandbox_open(), command, tmp_path / "base", tmp_path / "fix", lambda: None)
    assert check.verdict == verdict, check
