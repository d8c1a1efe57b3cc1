"""Collects the evidence pack; waits a moment for the server's own word on the same trace."""

from datetime import timedelta

from core import clock
from healing.evidence import Evidence, evidence_collect, evidence_json
from healing.host_access import host_manifest, service_addresses
from healing.models import HealRun
from healing.outcomes import RungEnded, Triaged, Waiting

# A server SDK sends its event from a background thread, usually within a second of the browser's report.
SERVER_EVENT_GRACE = timedelta(seconds=2)
LOOK_AGAIN_S = 0.4


def step(run: HealRun) -> Triaged | Waiting | RungEnded:
    if run.incident is None:
        return RungEnded(
            "an owner's brief has no recorded fault to reproduce, and no model is configured to build it"
        )
    manifest = host_manifest(run.host)
    addresses = service_addresses(run.host, manifest)
    evidence = evidence_collect(run.incident, manifest, addresses=addresses)
    if _server_may_still_speak(run, evidence):
        return Waiting("the server's events of this trace may still be on their way", LOOK_AGAIN_S)
    return Triaged(f"{run.incident.kind} {run.incident.severity} is taken up", evidence_json(evidence))


def _server_may_still_speak(run: HealRun, evidence: Evidence) -> bool:
    if evidence.exceptions or evidence.upstream or evidence.last_failed_request is None:
        return False
    return clock.now() < run.created_at + SERVER_EVENT_GRACE
