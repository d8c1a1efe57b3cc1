"""The whole verification of one fix: 5 + 5, base beside it, the swarm, and the gate once more."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from healing import limits
from healing.account import account_files
from healing.bench import NoSandbox, arms_run, counts, pulse_of, reason_of, sandbox, scratch
from healing.evidence import evidence_load
from healing.fixes import changes_between, fix_judge
from healing.host_access import git_dir, host_manifest
from healing.manifest import Manifest
from healing.models import Fix, HealRun, Scenario, Verification
from healing.outcomes import RungEnded, Verdict, Verified
from healing.policy.autonomy import may_act_alone
from healing.policy.diff_gate import Change, Decision, verdict_load
from healing.policy.intent_lock import intent_load
from healing.swarm import Check, host_tests, runtime_log, static_checks, visual
from healing.swarm.shapes import verdict_of
from workbench.git_plumbing import tree_hash
from workbench.sandbox import SandboxError
from workbench.scenario.bench import Arm, ArmResult
from workbench.scenario.fisher import fisher_p
from workbench.workspace import tree_checkout


def step(run: HealRun) -> Verified | RungEnded:
    fix = run.fix
    if fix is None:
        return RungEnded("there is no fix to verify")
    row = Verification.objects.filter(fix=fix).first()
    if row is None:
        try:
            row = _measured(run, fix)
        except NoSandbox as error:
            return RungEnded(str(error))
    return _outcome(run, fix, row)


def _measured(run: HealRun, fix: Fix) -> Verification:
    started = time.monotonic()
    scenario = Scenario.objects.get(run=run)
    manifest = host_manifest(run.host)
    source = git_dir(run.host)
    with scratch() as place:
        tree_checkout(source, fix.base_commit, place / "base")
        tree_checkout(source, fix.commit, place / "fix")
        tree_checkout(source, fix.base_commit, place / "tests" / "base")
        tree_checkout(source, fix.commit, place / "tests" / "fix")
        with ThreadPoolExecutor(max_workers=1) as pool:
            # The bench mostly waits for pages; the tests take the processor meanwhile, in trees of their own.
            tests = pool.submit(_host_tests, run, manifest, place / "tests")
            arms = _played(run, manifest, scenario, place)
        changes = changes_between(source, fix.base_commit, fix.commit)
        checks = [*_scenario_checks(scenario, arms), _gate_check(run, fix, manifest, changes)]
        checks.append(static_checks({c.path: c.new or b"" for c in changes}))
        checks.append(runtime_log(arms[2:], arms[:2]))
        checks.append(visual(arms[2], arms[0]))
        checks.append(tests.result())
    verdict, reason = verdict_of(checks)
    run.beat()
    row, _ = Verification.objects.update_or_create(
        fix=fix,
        defaults={
            "arms": {"base": _base_counts(scenario), **{arm.name: counts(arm) for arm in arms[:2]}},
            "checks": {c.name: c.as_json() for c in checks},
            "p_value": _p_value(scenario, arms[0]),
            "verdict": verdict,
            "reason": reason[:500],
            "seconds": round(time.monotonic() - started, 2),
        },
    )
    return row


def _played(run: HealRun, manifest: Manifest, scenario: Scenario, place: Path) -> list[ArmResult]:
    """The fix on both accounts, then base on the clone for what its log and screen look like."""
    clone, generic = account_files(scenario.account), account_files(scenario.generic)
    arms = [
        Arm("clone", place / "fix", clone, limits.CLONE_RUNS),
        Arm("generic", place / "fix", generic, limits.GENERIC_RUNS),
        Arm("base", place / "base", clone, 1),
    ]
    return arms_run(run, manifest, scenario.body, arms)


def _base_counts(scenario: Scenario) -> dict[str, int]:
    """What was shown before any edit: base on the clone."""
    base = scenario.base
    good = base["runs"] - base["failed"] - base["errors"]
    return {"passed": good, "failed": base["failed"], "error": base["errors"]}


def _scenario_checks(scenario: Scenario, arms: list[ArmResult]) -> list[Check]:
    found = []
    for arm in arms[:2]:
        n, passed, name = len(arm.runs), counts(arm), f"fix on the {arm.name} account"
        told = f"{passed['passed']} of {n} passed"
        if passed["failed"]:
            found.append(Check(name, Verdict.FAILED, f"{told}: {reason_of(arm, 'failed')}"))
        elif passed["error"]:
            found.append(Check(name, Verdict.ERROR, f"{told}: {reason_of(arm, 'error')}"))
        else:
            found.append(Check(name, Verdict.PASSED, told))
    base = counts(arms[2])
    p = _p_value(scenario, arms[0])
    shown = f"base failed {scenario.base['failed']} of {scenario.base['runs']} times (p = {p:.4f})"
    # The stored runs count; the one of now only says whether the clone still shows it.
    good = p < limits.FISHER_P and base["passed"] == 0
    found.append(Check("base fails", Verdict.PASSED if good else Verdict.INCONCLUSIVE, shown))
    return found


def _p_value(scenario: Scenario, arm: ArmResult) -> float:
    base = scenario.base
    bad = len(arm.runs) - counts(arm)["passed"]
    return fisher_p(base["failed"], base["runs"], bad, len(arm.runs))


def _gate_check(run: HealRun, fix: Fix, manifest: Manifest, changes: list[Change]) -> Check:
    """The gate under today's manifest, and the intent that the fix was written for."""
    lock = intent_load(fix.intent)
    if lock.hash != fix.intent_hash:
        return Check("intent lock", Verdict.FAILED, "the intent was changed after the edit")
    verdict = fix_judge(changes, manifest, lock, evidence_load(run.evidence))
    if verdict.decision == Decision.REFUSE:
        return Check("intent lock", Verdict.FAILED, "; ".join(verdict.reasons))
    return Check("intent lock", Verdict.PASSED, f"{verdict.decision}: {verdict.reasons[0]}")


def _host_tests(run: HealRun, manifest: Manifest, place: Path) -> Check:
    try:
        return host_tests(sandbox(), manifest.host.test, place / "base", place / "fix", pulse_of(run))
    except SandboxError as error:
        return Check("host tests", Verdict.ERROR, f"the sandbox failed: {error}")


def _outcome(run: HealRun, fix: Fix, row: Verification) -> Verified:
    verdict = Verdict(row.verdict)
    if verdict == Verdict.FAILED and not fix.refused:
        Fix.objects.filter(pk=fix.pk).update(refused=f"verification failed: {row.reason}"[:500])
    if verdict != Verdict.PASSED:
        return Verified(fix.pk, verdict, False, row.reason)
    if tree_hash(git_dir(run.host), fix.commit) != fix.tree_hash:
        return Verified(fix.pk, Verdict.FAILED, False, "the commit is not the tree that was stored")
    alone = may_act_alone(run.host)
    tier0 = alone.allowed and verdict_load(fix.gate) == Decision.TIER0
    gate = "; ".join(fix.gate.get("reasons", []))
    why = f"{row.reason}; gate: {gate}" if alone.allowed else f"{row.reason}; {alone.reason}"
    return Verified(fix.pk, verdict, tier0, why[:500])
