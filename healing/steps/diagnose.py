"""The Hyper-Thinking Engine over the stored evidence."""

from healing.evidence import evidence_load
from healing.host_access import host_manifest
from healing.models import HealRun
from healing.outcomes import AskUser, Diagnosis, NoCauseFound
from healing.patterns.library import pattern_lookup
from healing.thinking.engine import think


def step(run: HealRun) -> Diagnosis | AskUser | NoCauseFound:
    evidence = evidence_load(run.evidence)
    _, best = pattern_lookup(run, evidence)
    return think(run, evidence, host_manifest(run.host), best_pattern=best)
