"""Answers a rollout that has too little live traffic: plays the recorded journey on the candidate's tree."""

import logging

from flags.models import Rollout
from flags.services import rollout_replay_result
from healing.account import account_files
from healing.bench import NoSandbox, counts, host_spec, sandbox, scratch
from healing.errors import StepPostponed
from healing.host_access import git_dir, host_manifest
from healing.models import Scenario
from workbench.git_plumbing import tree_hash
from workbench.sandbox import SandboxError
from workbench.scenario.bench import Arm, scenario_run
from workbench.scenario.model import Scenario as BenchScenario
from workbench.workspace import tree_checkout

log = logging.getLogger("healing")
RUNS = 3


def replay_answer(rollout_id: str) -> bool | None:
    """Whether every run passed, told to flags; None (and no answer) when it could not be measured.

    No answer is safe: without evidence the rollout does not advance.
    """
    rollout = Rollout.objects.select_related("host", "release").filter(pk=rollout_id).first()
    scenario = Scenario.objects.filter(pk=rollout.replay).first() if rollout else None
    if rollout is None or scenario is None:
        log.warning("rollout %s: there is no scenario to replay", rollout_id)
        return None
    release, source = rollout.release, git_dir(rollout.host)
    if tree_hash(source, release.commit) != release.tree_hash:
        raise StepPostponed(f"rollout {rollout_id}: the commit is not the tree that was released")
    manifest = host_manifest(rollout.host)
    body = BenchScenario.model_validate(scenario.body)
    try:
        with scratch() as place:
            tree_checkout(source, release.commit, place / "candidate")
            arm = Arm("candidate", place / "candidate", account_files(scenario.account), RUNS)
            (result,) = scenario_run(sandbox(), body, arms=[arm], host=host_spec(manifest)).arms
    except (NoSandbox, SandboxError) as error:
        log.warning("rollout %s: the replay could not run: %s", rollout_id, error)
        return None
    found = counts(result)
    if found["error"]:
        log.warning("rollout %s: %d replays could not be judged", rollout_id, found["error"])
        return None
    passed = found["passed"] == RUNS
    rollout_replay_result(rollout_id, passed, RUNS)
    return passed
