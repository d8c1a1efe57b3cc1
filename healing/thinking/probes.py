"""VERIFY: the cheap checks that could refute a hypothesis, each against the real thing."""

from dataclasses import dataclass

from healing.errors import StepPostponed
from healing.evidence import Evidence
from healing.host_access import branch_head, host_client, tree_paths
from healing.manifest import Manifest
from healing.models import HealRun
from healing.thinking.shapes import Hypothesis
from hostkit.errors import HostAnswerError, HostUnreachable


@dataclass(frozen=True)
class Probe:
    """`refuted` None: the check could not tell."""

    refuted: bool | None
    told: str


def probe(run: HealRun, evidence: Evidence, manifest: Manifest, hypothesis: Hypothesis) -> Probe:
    """Tries to refute; raises StepPostponed when the host can't be reached."""
    if hypothesis.remedy["kind"] == "runbook":
        return _probe_invariant(run, manifest, str(hypothesis.remedy["name"]))
    return _probe_code(run, evidence)


def _probe_invariant(run: HealRun, manifest: Manifest, name: str) -> Probe:
    action = manifest.actions[name]
    if not run.user:
        return Probe(None, "the user is not verified, so the host was not asked")
    try:
        with host_client(run.host) as client:
            answer = client.invariant(action.verify, run.user)
    except HostUnreachable as error:
        raise StepPostponed(f"the host did not answer: {error}") from error
    except HostAnswerError as error:
        return Probe(None, f"the host refused to judge {action.verify}: {error.code}")
    if answer["holds"]:
        return Probe(True, f"{action.verify} holds for this user, so there is nothing to put right")
    return Probe(False, f"{action.verify} is broken for this user")


def _probe_code(run: HealRun, evidence: Evidence) -> Probe:
    frame = evidence.innermost
    if frame is None:
        return Probe(None, "no frame of the host's own code to look up")
    paths = tree_paths(run.host, branch_head(run.host))
    if any(path == frame.path or frame.path.endswith("/" + path) for path in paths):
        return Probe(False, f"{frame.path} is a file of the present code")
    return Probe(True, f"{frame.path} is no file of the present code")
