"""Collects the evidence pack; waits a moment for the server's own word on the same trace."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from core import clock
from healing.evidence import Evidence, evidence_collect, evidence_json
from healing.host_access import host_client, host_manifest, service_addresses
from healing.models import HealRun
from healing.outcomes import RungEnded, Triaged, Waiting
from hostkit.errors import HostAnswerError, HostUnreachable

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
    evidence = replace(evidence, account=_account(run))
    return Triaged(f"{run.incident.kind} {run.incident.severity} is taken up", evidence_json(evidence))


def _server_may_still_speak(run: HealRun, evidence: Evidence) -> bool:
    if evidence.exceptions or evidence.upstream or evidence.last_failed_request is None:
        return False
    return clock.now() < run.created_at + SERVER_EVENT_GRACE


def _account(run: HealRun) -> dict[str, Any]:
    """What the host says of the user: plan, role, facts. No name, no e-mail; a refusal is told."""
    if not run.user:
        return {}
    try:
        with host_client(run.host) as client:
            said = client.describe(run.user)
    except (HostUnreachable, HostAnswerError) as error:
        return {"unavailable": str(error)[:200]}
    return {"plan": said["plan"], "role": said["role"], "facts": dict(said["facts"])}
