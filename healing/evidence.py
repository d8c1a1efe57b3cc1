"""The evidence pack of one run: what is known, each field marked by who could have written it.

`attacker`: any visitor (a forged report costs nothing). `server`: the host's own process, whose words may
still carry what a visitor typed. `ours`: our own rows. Later stages read the marks, never the source.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from healing import limits
from healing.errors import EvidenceBroken
from healing.manifest import Manifest
from incidents.models import Incident, Outcome, Report, ServerEvent

Trust = Literal["attacker", "server", "ours"]
Json = Mapping[str, Any]

# The mark of each field, in one place: evidence_json() refuses a field that has none.
TRUST: Mapping[str, Trust] = {
    "kind": "ours",
    "severity": "ours",
    "verified": "ours",
    "user_count": "ours",
    "trace_ids": "attacker",
    "route": "attacker",
    "reasons": "attacker",
    "element": "attacker",
    "expectation": "attacker",
    "requests": "attacker",
    "error": "attacker",
    "console": "attacker",
    "state": "attacker",
    "text": "attacker",
    "action_count": "attacker",
    "outcomes": "attacker",
    "exceptions": "server",
    "upstream": "server",
    "unmapped_upstream": "server",
    "account": "server",
    "similar": "ours",
}


@dataclass(frozen=True)
class Frame:
    """One frame of the host's own code, innermost last in a stack."""

    path: str
    line: int
    function: str


@dataclass(frozen=True)
class ServerException:
    type: str
    value: str
    frames: tuple[Frame, ...]
    fingerprint: str


@dataclass(frozen=True)
class Evidence:
    """See TRUST for the mark of each field."""

    kind: str
    severity: str
    verified: bool
    user_count: int
    trace_ids: tuple[str, ...]
    route: str
    reasons: tuple[str, ...]
    element: Json | None
    expectation: Json | None
    requests: tuple[Json, ...]
    error: Json | None
    console: tuple[Json, ...]
    state: Json | None
    text: str
    action_count: int
    outcomes: int
    exceptions: tuple[ServerException, ...]
    upstream: tuple[Json, ...]
    unmapped_upstream: tuple[str, ...]
    account: Json = field(default_factory=dict)
    similar: tuple[Json, ...] = ()

    @property
    def upstream_statuses(self) -> tuple[int, ...]:
        return tuple(sorted({int(x["status"]) for x in self.upstream if int(x["status"] or 0) >= 400}))

    @property
    def last_failed_request(self) -> Json | None:
        failed = [r for r in self.requests if not 0 < int(r.get("status") or 0) < 400]
        return failed[-1] if failed else None

    @property
    def innermost(self) -> Frame | None:
        frames = [e.frames[-1] for e in self.exceptions if e.frames]
        return frames[0] if frames else None


def evidence_collect(
    incident: Incident, manifest: Manifest, *, addresses: Mapping[str, str], account: Json | None = None
) -> Evidence:
    """Reads what is stored. `addresses`: service name -> base URL that the host was given.

    Raises EvidenceBroken when the incident has no report at all.
    """
    reports = list(incident.reports.order_by("-received_at")[: limits.EVIDENCE_REPORTS])
    if not reports:
        raise EvidenceBroken(f"Incident {incident.pk} has no report to work on.")
    latest = next((r for r in reports if r.verified), reports[0])
    traces = tuple(sorted({t for r in reports for t in report_traces(r)}))
    events = list(
        ServerEvent.objects.filter(host=incident.host, trace_id__in=traces, from_server=True).order_by("at")
    )
    upstream, unmapped = upstream_mapped(events, manifest, addresses)
    payload = latest.payload
    return Evidence(
        kind=incident.kind,
        severity=incident.severity,
        verified=latest.verified,
        user_count=incident.user_count,
        trace_ids=traces,
        route=str(payload.get("route") or incident.route),
        reasons=tuple(sorted({str(x) for r in reports for x in r.payload.get("reasons") or ()})),
        element=payload.get("element"),
        expectation=next((r.payload["expectation"] for r in reports if r.payload.get("expectation")), None),
        requests=tuple(payload.get("requests") or ()),
        error=payload.get("error"),
        console=tuple(payload.get("console") or ())[-20:],
        state=payload.get("state"),
        text=str(payload.get("text") or "")[: limits.EVIDENCE_TEXT],
        action_count=len(payload.get("actions") or ()),
        outcomes=len(outcomes_of(incident, payload)),
        exceptions=tuple(x for e in events for x in _exceptions(e)),
        upstream=tuple(upstream),
        unmapped_upstream=tuple(unmapped),
        account=account or {},
        similar=tuple(_similar(incident)),
    )


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """The pack as stored: field -> {"trust", "value"}."""
    return {name: {"trust": TRUST[name], "value": _plain(value)} for name, value in vars(evidence).items()}


def evidence_load(stored: Mapping[str, Any]) -> Evidence:
    """The pack from its stored form."""
    values = {name: item["value"] for name, item in stored.items()}
    for name in ("trace_ids", "reasons", "requests", "console", "upstream", "unmapped_upstream", "similar"):
        values[name] = tuple(values[name])
    values["exceptions"] = tuple(
        ServerException(x["type"], x["value"], tuple(Frame(**f) for f in x["frames"]), x["fingerprint"])
        for x in values["exceptions"]
    )
    return Evidence(**values)


def report_traces(report: Report) -> set[str]:
    """The trace ids of the report and of the requests in it."""
    inner = {str(r.get("trace_id") or "") for r in report.payload.get("requests") or ()}
    return {t for t in inner | {report.trace_id} if t}


def outcomes_of(incident: Incident, payload: Json) -> list[dict[str, Any]]:
    """Healthy outcomes of the element that the user touched last, the commonest first."""
    touched = [a.get("element") for a in payload.get("actions") or () if a.get("element")]
    element = payload.get("element") or (touched[-1] if touched else None)
    routes = {str(payload.get("route") or ""), incident.route}
    rows = Outcome.objects.filter(host=incident.host, route__in=routes)
    if element and element.get("fingerprint"):
        rows = rows.filter(element=element["fingerprint"])
    return [row.payload for row in rows.order_by("-count", "-last_seen")[:10]]


def upstream_mapped(
    events: Iterable[ServerEvent], manifest: Manifest, addresses: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The exchanges with the host's services, by the manifest's names; and the hosts without a name.

    Several events of one trace repeat their breadcrumbs; the longest list of a trace has them all.
    """
    by_address = {urlsplit(url).netloc: name for name, url in addresses.items() if name in manifest.services}
    longest: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if len(event.upstream) > len(longest.get(event.trace_id, [])):
            longest[event.trace_id] = event.upstream
    mapped: list[dict[str, Any]] = []
    unmapped: list[str] = []
    for exchange in (x for exchanges in longest.values() for x in exchanges):
        service = by_address.get(str(exchange.get("host", "")))
        if service is None:
            unmapped.append(str(exchange.get("host", "")))
            continue
        keep = {k: exchange.get(k) for k in ("method", "path", "status", "retry_after")}
        mapped.append({"service": service, **keep})
    return mapped, sorted(set(unmapped))


def _exceptions(event: ServerEvent) -> Iterator[ServerException]:
    chain = (event.event.get("exception") or {}).get("values") or []
    for item in chain:
        raw = (item.get("stacktrace") or {}).get("frames") or []
        frames = tuple(
            Frame(str(f.get("filename") or ""), int(f.get("lineno") or 0), str(f.get("function") or ""))
            for f in raw
            if f.get("in_app", True) and f.get("filename")
        )
        yield ServerException(
            str(item.get("type") or ""), str(item.get("value") or "")[:200], frames, event.fingerprint
        )


def _similar(incident: Incident) -> Iterator[dict[str, Any]]:
    rows = Incident.objects.filter(host=incident.host, kind=incident.kind).exclude(pk=incident.pk)
    for row in rows.order_by("-last_seen")[:5]:
        yield {
            "incident": row.pk,
            "same_route": row.route == incident.route,
            "status": row.status,
            "comebacks": row.comebacks,
        }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Frame | ServerException):
        return {name: _plain(item) for name, item in vars(value).items()}
    return value
