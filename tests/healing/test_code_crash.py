"""The code path with the real search, gate and git, and the bench played: it ends once whatever crashes.

The bench's part: a tree with a retry passes, any other fails. test_code_path.py has the real bench.
"""

from pathlib import Path

import pytest

from flags.models import Rollout
from flags.phases import RolloutPhase
from flags.services import rollout_move
from healing import runner
from healing.models import Fix, HealRun, Pattern, Scenario, Verification
from healing.outcomes import Verdict
from healing.phases import Phase
from healing.runner import advance
from healing.selectors import runs_due
from healing.services import run_open
from healing.steps import repair, reproduce, verify
from healing.swarm import Check
from incidents.models import Incident, ServerEvent
from notifications.feed import feed_entry
from tests.healing.conftest import CLIENT, heal, incident_of, path_of
from tests.healing.test_runner import Killed, die, lease_runs_out
from tests.workbench.scenario.test_forge import generate_report
from workbench.git_plumbing import git
from workbench.scenario.bench import ArmResult, RunResult

pytestmark = pytest.mark.django_db
TRACE = "c" * 32
CALM = ["triaging", "diagnosing", "reproducing", "repairing", "verifying", "rolling_out", "settled"]


@pytest.fixture
def bench(monkeypatch):
    """`works(text of client.py)` says whether the journey passes; every tree that was played is kept."""
    played = type("Bench", (), {"works": staticmethod(lambda text: "for attempt" in text), "runs": 0})

    def arms_run(_run, _manifest, _body, arms):
        results = []
        for arm in arms:
            played.runs += arm.runs
            good = played.works((arm.tree / "shop" / "client.py").read_text())
            verdict = "passed" if good else "failed"
            results.append(ArmResult(arm.name, [RunResult(verdict, "played", 0.1) for _ in range(arm.runs)]))
        return results

    for module in (reproduce, repair, verify):
        monkeypatch.setattr(module, "arms_run", arms_run)
    monkeypatch.setattr(verify, "visual", lambda *_: Check("visual", Verdict.PASSED, "fine"))
    return played


@pytest.fixture
def troubled(host, source, bench):
    """Opens an incident whose server event shows a busy service."""
    host.manifest_toml = host.manifest_toml.replace('test = "python -m pytest -q tests"', 'test = ""')
    host.save()
    frames = [{"filename": "shop/client.py", "function": "ask", "lineno": 5}]
    error = {"type": "HTTPError", "value": "429", "stacktrace": {"frames": frames}}
    upstream = {"method": "GET", "host": "127.0.0.1:7101", "path": "/v1", "status": 429, "retry_after": "1"}
    ServerEvent.objects.create(
        host=host, event_id="e", trace_id=TRACE, event={"exception": {"values": [error]}}, upstream=[upstream]
    )

    def make(user="u1") -> Incident:
        report = {k: v for k, v in generate_report().items() if k not in ("kind", "route", "page")}
        report["actions"] = [{"at": i, **action} for i, action in enumerate(report["actions"])]
        report["requests"] = [{**report["requests"][0], "trace_id": TRACE}]
        return incident_of(host, "SILENT_FAILURE", user, "/studio", **report)

    return make


def flags_finishes():
    """Everybody is on the candidate, and it is merged."""
    rollout = Rollout.objects.get()
    for phase in (RolloutPhase.AFFECTED_USER, RolloutPhase.SIMILAR_USERS, RolloutPhase.FULL):
        rollout.refresh_from_db()
        if rollout.phase != phase and rollout.phase != RolloutPhase.FULL:
            rollout_move(rollout.pk, phase, from_=RolloutPhase(rollout.phase), reason="fine")
    Rollout.objects.update(finished_at=rollout.created_at)


def to_the_end(run):
    for _ in range(30):
        run.refresh_from_db()
        if run.phase == Phase.ROLLING_OUT and run.rollout:
            flags_finishes()
            HealRun.objects.filter(pk=run.pk).update(run_after=run.created_at)
        if not runs_due(5):
            break
        advance(runs_due(5)[0])
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("phase", [Phase.REPRODUCING, Phase.REPAIRING, Phase.VERIFYING, Phase.ROLLING_OUT])
@pytest.mark.parametrize("moment", ["after the step", "in the transaction", "after the commit"])
def test_a_code_heal_survives_a_crash_anywhere(troubled, monkeypatch, phase, moment):
    run = run_open(troubled().pk)
    while HealRun.objects.get(pk=run.pk).phase != phase:
        assert advance(run.pk) is not None, HealRun.objects.get().outcome
    with monkeypatch.context() as patch:
        if moment == "after the step":
            patch.setattr(runner, "_settle", die)
        elif moment == "in the transaction":
            patch.setattr(runner, "tell_moved", die)
            patch.setattr(runner, "tell_stayed", die)
        else:
            settle = runner._settle
            patch.setattr(runner, "_settle", lambda *a: (settle(*a), die()))
        with pytest.raises(Killed):
            advance(run.pk)
    lease_runs_out(run)
    run = to_the_end(run)
    assert (run.phase, path_of(run)) == (Phase.SETTLED, CALM)
    assert [m.objects.count() for m in (Scenario, Fix, Verification, Rollout, Pattern)] == [1, 1, 1, 1, 1]
    refs = git(Path(run.host.git_dir), "for-each-ref", "refs/kriptik").decode().split()
    assert len(refs) == 3, "one ref: commit, type, name"


@pytest.mark.parametrize("moment", ["commit_changes", "diff", "tree_hash"])
def test_a_crash_around_the_commit_leaves_one_ref_and_one_fix(troubled, monkeypatch, moment):
    run = run_open(troubled().pk)
    while HealRun.objects.get(pk=run.pk).phase != Phase.REPAIRING:
        advance(run.pk)
    with monkeypatch.context() as patch:
        real = getattr(repair, moment)
        patch.setattr(repair, moment, lambda *a: (real(*a), die()))
        with pytest.raises(Killed):
            advance(run.pk)
    lease_runs_out(run)
    assert to_the_end(run).phase == Phase.SETTLED
    assert Fix.objects.count() == 1


def test_the_next_user_is_healed_by_the_learned_edit_without_diagnosis_or_search(troubled, bench, host):
    first = to_the_end(run_open(troubled().pk))
    assert first.phase == Phase.SETTLED
    Rollout.objects.all().delete()
    bench.runs = 0
    second = heal(troubled("u2"), steps=6)
    assert path_of(second)[:3] == ["triaging", "reproducing", "repairing"]
    fix = second.fix
    assert fix.search["tried"] == 1
    assert fix.tree_hash == first.fix.tree_hash
    assert second.pattern_id == first.pattern_id


def test_two_users_who_need_the_same_tree_share_one_rollout(troubled):
    first, second = heal(troubled("u1"), steps=7), heal(troubled("u2"), steps=7)
    assert {first.phase, second.phase} == {Phase.ROLLING_OUT}
    assert first.rollout == second.rollout == Rollout.objects.get().pk
    assert first.fix.tree_hash == second.fix.tree_hash


def test_what_base_does_not_show_is_not_repaired(troubled, bench):
    bench.works = lambda text: True
    run = heal(troubled())
    assert (run.phase, Fix.objects.count()) == (Phase.GAVE_UP, 0)
    assert "not reproduced" in run.outcome


def test_when_no_edit_helps_the_owner_gets_it(troubled, bench, monkeypatch):
    monkeypatch.setattr("healing.limits.REPAIR_BUDGET_S", 3.0)
    bench.works = lambda text: False
    incident = troubled()
    run = heal(incident)
    assert run.phase == Phase.GAVE_UP
    assert "no edit of the template set" in run.outcome
    assert feed_entry(run.subject, incident.pk).stage == "escalated"


def test_an_edit_that_the_gate_refuses_is_never_played(troubled, bench, host):
    host.manifest_toml = host.manifest_toml.replace(
        'protected = ["shop/billing/**"]', 'protected = ["shop/**"]'
    )
    host.save()
    run = heal(troubled())
    assert (run.phase, Fix.objects.count()) == (Phase.GAVE_UP, 0)
    assert bench.runs == 5, "base was shown to fail, and nothing else ran"


def test_a_fix_that_passes_once_and_fails_verification_is_not_tried_again(troubled, bench):
    run = run_open(troubled().pk)
    while HealRun.objects.get(pk=run.pk).phase != Phase.VERIFYING:
        advance(run.pk)
    bench.works = lambda text: False
    assert advance(run.pk) is not None
    run.refresh_from_db()
    assert run.phase == Phase.REPAIRING
    refused = Fix.objects.get()
    assert "verification failed" in refused.refused
    bench.works = lambda text: "for attempt" in text
    heal(run.incident, steps=1)
    digests = [f.gate["content"] for f in Fix.objects.all()]
    assert len(set(digests)) == len(digests), "the refused edit did not come back"


def test_at_propose_a_verified_fix_waits_for_the_owner(troubled, host):
    host.autonomy = "propose"
    host.save()
    incident = troubled()
    run = heal(incident)
    assert (run.phase, incident.status) == (Phase.AWAITING_OWNER, "awaiting_owner")
    assert not Rollout.objects.exists()
    assert CLIENT in (repository_file(host, "refs/heads/main")), "the host's branch is untouched"


def repository_file(host, ref):
    return git(Path(host.git_dir), "cat-file", "blob", f"{ref}:shop/client.py").decode()
