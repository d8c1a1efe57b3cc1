"""L0: asks the pattern library before anything is diagnosed."""

from healing.evidence import evidence_load
from healing.host_access import host_manifest
from healing.models import HealRun
from healing.outcomes import NoPattern, PatternMatched
from healing.patterns.library import pattern_lookup
from healing.policy.autonomy import may_remedy


def step(run: HealRun) -> PatternMatched | NoPattern:
    if not run.verified:
        return NoPattern("nobody vouched for the reporter: the run only diagnoses")
    permission = may_remedy(run.host)
    if not permission.allowed:
        return NoPattern(permission.reason)
    hit, best = pattern_lookup(run, evidence_load(run.evidence))
    if hit is None:
        return NoPattern(f"no pattern fits well enough (best {best:.2f})")
    remedy = hit.pattern.remedy
    if remedy["kind"] == "runbook" and remedy["name"] not in host_manifest(run.host).actions:
        return NoPattern(f"the pattern's runbook {remedy['name']} is no longer in the manifest")
    return PatternMatched(hit.pattern.pk, round(hit.score, 3), {**remedy, "why": list(hit.why)})
