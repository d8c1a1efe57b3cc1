"""What was seen of a candidate: the gateway's records, the host's errors, its users' reports."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core import clock
from flags import limits
from flags.judge import Evidence
from flags.models import Assignment, Release, RequestRecord, Rollout
from flags.models.telemetry import STABLE
from flags.phases import ReleasePhase, RolloutPhase
from flags.selectors import heartbeat_age_s
from flags.sequential import EProcess
from incidents.fingerprint import path_pattern
from incidents.models import Report, ServerEvent
from incidents.selectors import trace_ids_of
from notifications.messages import Kind

GATEWAY_LOG = "gateway_log"  # the heartbeat of whoever reads the gateway's log
_BATCH = 5000
# A slow page or a lost user is no proof of harm; those are judged by rates or by people.
_HARD_KINDS = (
    Kind.SILENT_FAILURE,
    Kind.ERROR,
    Kind.DATA_INCONSISTENCY,
    Kind.AUTH_ISSUE,
    Kind.BILLING_ISSUE,
)


@dataclass
class Tally:
    """The counts of the present phase and the tests of the whole rollout; stored together with the cursor."""

    errors: EProcess = field(default_factory=EProcess)
    slow: EProcess = field(default_factory=EProcess)
    phase: str = ""
    requests: int = 0
    touched: int = 0
    bad: dict[str, list[str]] = field(default_factory=dict)  # touched route -> members it failed for

    @classmethod
    def from_json(cls, value: dict[str, Any], phase: str) -> "Tally":
        tally = cls(
            errors=EProcess.from_json(value.get("errors")),
            slow=EProcess.from_json(value.get("slow")),
            phase=phase,
        )
        if value.get("phase") == phase:
            tally.requests, tally.touched = value["requests"], value["touched"]
            tally.bad = {route: list(members) for route, members in value["bad"].items()}
        return tally

    def as_json(self) -> dict[str, Any]:
        return {
            "errors": self.errors.as_json(),
            "slow": self.slow.as_json(),
            "phase": self.phase,
            "requests": self.requests,
            "touched": self.touched,
            "bad": self.bad,
        }


def baseline_of(host_id: int) -> dict[str, int]:
    """Stable's p95 in ms for each route with enough requests lately."""
    since = clock.now() - timedelta(seconds=limits.BASELINE_WINDOW_S)
    rows = RequestRecord.objects.filter(host_id=host_id, release=STABLE, at__gte=since, status__gt=0)
    times: dict[str, list[int]] = defaultdict(list)
    for route, ms in rows.order_by("-id").values_list("route", "ms")[: 4 * _BATCH]:
        times[route].append(ms)
    return {
        route: sorted(values)[math.ceil(0.95 * len(values)) - 1]
        for route, values in times.items()
        if len(values) >= limits.BASELINE_MIN_REQUESTS
    }


def gather(
    rollout: Rollout, release: Release, assignments: Sequence[Assignment]
) -> tuple[Evidence, Tally, int]:
    """The evidence of this look, and the tally and cursor to store with it."""
    phase = judged_phase(rollout)
    tally = Tally.from_json(rollout.sequential, str(phase))
    rows = RequestRecord.objects.filter(host_id=rollout.host_id, pk__gt=rollout.cursor)
    fresh = list(rows.order_by("pk")[:_BATCH])
    _landings(assignments, fresh, release.pk)
    tally_add(tally, fresh, rollout, release.pk)
    result = rollout.replay_result or {}
    evidence = Evidence(
        phase=phase,
        telemetry_age_s=heartbeat_age_s(GATEWAY_LOG),
        process_alive=release.phase == ReleasePhase.READY,
        health_failures=release.health_failures,
        recurrences=frozenset(_recurrences(rollout, assignments)),
        new_troubles=_new_troubles(rollout, assignments),
        server_errors={route: len(members) for route, members in tally.bad.items()},
        requests=tally.requests,
        touched_requests=tally.touched,
        has_touched_routes=bool(rollout.touched_routes),
        errors=tally.errors,
        slow=tally.slow,
        replay_passed=result.get("passed"),
        replay_runs=result.get("runs", 0),
    )
    return evidence, tally, fresh[-1].pk if fresh else rollout.cursor


def judged_phase(rollout: Rollout) -> RolloutPhase:
    """A held rollout is still judged, by the rules of the phase it was held in."""
    return RolloutPhase(rollout.held_from) if rollout.held_from else rollout.stage


def tally_add(tally: Tally, fresh: Iterable[RequestRecord], rollout: Rollout, release: str) -> None:
    """Counts new records and lays the two arms' bets."""
    fresh = list(fresh)
    canary = _capped([r for r in fresh if r.release == release and (r.status > 0 or r.masked)])
    control = [r for r in fresh if r.release == STABLE and r.status > 0]
    for record in canary:
        tally.requests += 1
        if record.route in rollout.touched_routes:
            tally.touched += 1
            if record.failed:
                members = tally.bad.setdefault(record.route, [])
                if (record.member or str(record.pk)) not in members:
                    members.append(record.member or str(record.pk))
    alone = tally.phase == RolloutPhase.FULL
    tally.errors = _bet(tally.errors, [r.failed for r in canary], [r.failed for r in control], alone)
    base = rollout.baseline
    tally.slow = _bet(
        tally.slow,
        [r.ms > base[r.route] for r in canary if r.route in base],
        [r.ms > base[r.route] for r in control if r.route in base],
        alone,
    )


def _bet(test: EProcess, canary: Sequence[bool], control: Sequence[bool], alone: bool) -> EProcess:
    """Deals the control requests out evenly, a few to each candidate request.

    `alone`: everyone is on the candidate, so there is no control beside it, only the one from before.
    """
    if not canary:
        return test
    if alone:
        for bad in canary:
            test = test.against_past_control(bad)
        return test
    each = min(limits.CONTROL_PER_BLOCK, len(control) // len(canary))
    for number, bad in enumerate(canary):
        test = test.block(bad, control[number * each : (number + 1) * each])
    return test


def _capped(records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """One user's requests are correlated: he can't fill a look with them."""
    seen: dict[str, int] = defaultdict(int)
    kept = []
    for record in records:
        seen[record.member] += 1
        if not record.member or seen[record.member] <= limits.MEMBER_REQUESTS_PER_LOOK:
            kept.append(record)
    return kept


def _landings(assignments: Sequence[Assignment], fresh: Iterable[RequestRecord], release: str) -> None:
    waiting = {a.member: a for a in assignments if a.landed_at is None}
    for record in fresh:
        member = waiting.get(record.member)
        if member is not None and record.page and record.release == release and not record.masked:
            member.landed_at = record.at
            member.save(update_fields=["landed_at"])
            del waiting[record.member]


def _reports(rollout: Rollout, assignments: Sequence[Assignment]) -> list[Report]:
    """What verified members reported about the candidate in this phase. Nobody else can take a fix back."""
    subjects = {a.subject: a for a in assignments}
    rows = Report.objects.filter(
        host_id=rollout.host_id, subject__in=subjects, verified=True, kind__in=_HARD_KINDS
    ).filter(received_at__gte=rollout.since)
    found = list(rows.select_related("incident").order_by("received_at")[:200])
    return [r for r in found if _about_candidate(r, subjects[r.subject], rollout)]


def _about_candidate(report: Report, member: Assignment, rollout: Rollout) -> bool:
    """Whether the trouble happened on the candidate: by the requests it names, else by what page was loaded.

    A page that was loaded from stable and asks stable, or a report that lay in the browser while it was
    offline, says nothing about the candidate.
    """
    traces = trace_ids_of(report.payload)
    rows = RequestRecord.objects.filter(host_id=rollout.host_id, trace__in=traces)
    releases = set(rows.values_list("release", flat=True)) if traces else set()
    if releases:
        return rollout.release_id in releases
    return member.landed_at is not None and report.received_at > member.landed_at


def _recurrences(rollout: Rollout, assignments: Sequence[Assignment]) -> set[str]:
    came_back = {
        report.subject
        for report in _reports(rollout, assignments)
        if report.incident_id == rollout.incident_id or report.incident.fingerprint == rollout.fingerprint
    }
    events = _server_events(rollout).filter(fingerprint=rollout.fingerprint)
    if rollout.fingerprint and events.exists():
        came_back.add("server")
    return came_back


def _server_events(rollout: Rollout) -> Any:
    return ServerEvent.objects.filter(
        host_id=rollout.host_id,
        release=rollout.release_id,
        from_server=True,
        level__in=["error", "fatal", ""],
        at__gte=rollout.since,
    )


def _new_troubles(rollout: Rollout, assignments: Sequence[Assignment]) -> dict[str, int]:
    """Fingerprints in what the fix touched that stable has not shown -> how many users or requests."""
    seen: dict[str, set[str]] = defaultdict(set)
    for report in _reports(rollout, assignments):
        known = report.incident_id == rollout.incident_id or report.incident.first_seen < rollout.created_at
        if not known and _routes_of(report) & set(rollout.touched_routes):
            seen[report.incident.fingerprint].add(report.subject)
    for event in _server_events(rollout).exclude(fingerprint__in=["", rollout.fingerprint])[:200]:
        touched = frames_touch(event.event, rollout.touched_paths)
        if touched and not _stable_showed(rollout, event.fingerprint):
            seen[event.fingerprint].add(event.trace_id or event.event_id)
    return {fingerprint: len(sources) for fingerprint, sources in seen.items()}


def _stable_showed(rollout: Rollout, fingerprint: str) -> bool:
    since = rollout.created_at - timedelta(seconds=limits.LOOKBACK_S)
    rows = ServerEvent.objects.filter(host_id=rollout.host_id, fingerprint=fingerprint, at__gte=since)
    return rows.exclude(release=rollout.release_id).exists()


def _routes_of(report: Report) -> set[str]:
    requests = report.payload.get("requests") or []
    return {path_pattern(str(path)) for path in (report.route, *(r.get("path", "") for r in requests))}


def frames_touch(event: dict[str, Any], paths: Sequence[str]) -> bool:
    """Whether a frame of a stored server event lies in one of these files (from the repository's root)."""
    names = {
        str(frame.get("filename") or "")
        for exception in event.get("exceptions") or []
        for frame in exception.get("frames") or []
    }
    return any(name == path or name.endswith("/" + path) for name in names for path in paths)
