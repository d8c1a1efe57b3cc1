"""From a recorded report to a scenario. Pure: the same report gives the same scenario, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from workbench.scenario.errors import NotReproducible
from workbench.scenario.journey import Journey, journey_of
from workbench.scenario.locators import locator_candidates
from workbench.scenario.model import (
    MAX_FAULT_TIMES,
    MAX_STEPS,
    Fault,
    Locator,
    RequestPattern,
    Scenario,
    Step,
    Wait,
)
from workbench.scenario.oracles import failure_oracle, positive_oracle
from workbench.scenario.recorded import Action, Exchange, Outcome, Report, UpstreamCall, first_problem
from workbench.scenario.shapes import local_path, path_pattern, synthetic

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OFF = frozenset({"false", "off", "0", "unchecked", "no"})
_MAX_UPLOAD = 4 * 1024 * 1024
_MIN_WAIT_MS, _MAX_WAIT_MS = 3000, 15_000


def scenario_compile(
    report: Mapping[str, Any],
    *,
    outcomes: Sequence[Mapping[str, Any]] = (),
    upstream: Sequence[Mapping[str, Any]] = (),
) -> Scenario:
    """Compile the recorded actions that led to the failure, with both oracles and the faults of outside
    services.

    `report` and `outcomes` are section 1 of the protocol, `upstream` the host's own calls in order. Raises
    NotReproducible with a reason free of the visitor's text. A healthy outcome or upstream entry that can't
    be read is
    left out; the report itself must be readable.
    """
    try:
        recorded = Report.model_validate(report)
    except ValidationError as error:
        raise NotReproducible(f"the report can't be read: {first_problem(error)}") from None
    journey = journey_of(recorded)
    if len(journey.actions) > MAX_STEPS:
        raise NotReproducible(f"the journey has {len(journey.actions)} steps; at most {MAX_STEPS} are played")
    try:
        return _assemble(recorded, journey, _readable(outcomes), faults_of(upstream))
    except ValidationError as error:
        raise NotReproducible(f"the recording does not fit a scenario: {first_problem(error)}") from None


def _assemble(
    recorded: Report, journey: Journey, outcomes: Sequence[Outcome], faults: tuple[Fault, ...]
) -> Scenario:
    failure = failure_oracle(recorded, journey)
    viewport = recorded.viewport
    return Scenario(
        start_path=journey.start_path,
        steps=tuple(_step(action, failing=action is journey.failing) for action in journey.actions),
        failure=failure,
        positive=positive_oracle(recorded, journey, failure, outcomes, faults),
        faults=faults,
        viewport=_viewport(viewport.w, viewport.h) if viewport else (1280, 720),
        locale=recorded.locale if re.fullmatch(r"[A-Za-z0-9-]{2,35}", recorded.locale) else "en",
        notes=journey.notes,
    )


def faults_of(upstream: Sequence[Mapping[str, Any]]) -> tuple[Fault, ...]:
    """One fault per service, method and path whose last calls failed in a row or that ever failed.

    `times` is the longest run of failures that was recorded, one to five: a fix must outlast what was seen.
    """
    calls: dict[tuple[str, str, str], list[UpstreamCall]] = {}
    for entry in upstream[:1000]:
        try:
            call = UpstreamCall.model_validate(entry)
        except ValidationError:
            continue
        calls.setdefault((call.service, call.method, path_pattern(local_path(call.path))), []).append(call)
    faults = []
    for (service, method, path), series in calls.items():
        worst = _longest_failure(series)
        if worst:
            first = worst[0]
            headers = {} if first.retry_after is None else {"Retry-After": _seconds(first.retry_after)}
            times = min(len(worst), MAX_FAULT_TIMES)
            faults.append(
                Fault(
                    service=service,
                    method=method,
                    path=path,
                    status=first.status,
                    headers=headers,
                    times=times,
                )
            )
    return tuple(faults[:20])


def _longest_failure(series: Sequence[UpstreamCall]) -> list[UpstreamCall]:
    longest: list[UpstreamCall] = []
    current: list[UpstreamCall] = []
    for call in series:
        current = [*current, call] if call.status == 0 or call.status >= 400 else []
        longest = max(longest, current, key=len)
    return longest


def _seconds(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, int | float) else value[:80]


def _step(action: Action, *, failing: bool) -> Step:
    locators = locator_candidates(action.element.locators) if action.element else ()
    if action.kind not in ("navigate", "press") and not locators:
        raise NotReproducible(f"the recorded {action.kind} has no locator to find its element by")
    return Step(
        kind=action.kind,
        locators=locators,
        value=_value(action),
        key=_key(action),
        path=local_path(action.url) if action.kind == "navigate" else None,
        wait=None if failing else _wait(action),
    )


def _value(action: Action) -> str | None:
    if action.kind == "check":
        return "off" if (action.value or "").lower() in _OFF and action.value else "on"
    if action.kind == "upload":
        return _synthetic_file(action.shape or "")
    if action.kind not in ("fill", "select"):
        return None
    if action.value is not None:
        return action.value
    if action.shape is None:
        raise NotReproducible(f"a recorded {action.kind} has neither a value nor the shape of one")
    return synthetic(action.shape)


def _synthetic_file(shape: str) -> str:
    """`png 20480` from the SDK's list of extensions and sizes; only the first file, of at most 4 MiB."""
    first = re.match(r"([a-z0-9]{1,8}) (\d{1,12})", shape.lower())
    return f"{first.group(1)} {min(int(first.group(2)), _MAX_UPLOAD)}" if first else "bin 1024"


def _key(action: Action) -> str | None:
    if action.kind != "press":
        return None
    if action.key is None or not re.fullmatch(r"[A-Za-z0-9+]{1,40}", action.key):
        raise NotReproducible("a recorded key press does not name a key")
    return action.key


def _wait(action: Action) -> Wait | None:
    """What followed this action in the recording, as facts to wait for; never a time."""
    after = action.after
    seen = [each for each in locator_candidates(after.appeared) if each.by in ("testid", "role")]
    appeared: Locator | None = seen[0] if seen else None
    navigated = path_pattern(after.navigated) if after.navigated else None
    wait = Wait(
        request=_awaited_request(after.requests, alone=appeared is None and navigated is None),
        navigated=navigated,
        appeared=appeared,
        timeout_ms=int(min(_MAX_WAIT_MS, max(_MIN_WAIT_MS, 3 * (after.ms or 0)))),
    )
    return None if wait.empty else wait


def _awaited_request(requests: Sequence[Exchange], *, alone: bool) -> RequestPattern | None:
    """One that writes; one that reads only if nothing else tells that the action took hold (it may be
    mere polling).
    """
    own = [each for each in requests if each.path.startswith("/") and not each.path.startswith("//")]
    writing = [each for each in own if each.method not in _READING]
    chosen = (writing or (own if alone else []))[:1]
    return RequestPattern(method=chosen[0].method, path=path_pattern(chosen[0].path)) if chosen else None


def _readable(outcomes: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    readable = []
    for outcome in outcomes[:1000]:
        try:
            readable.append(Outcome.model_validate(outcome))
        except ValidationError:
            continue
    return readable


def _viewport(width: int, height: int) -> tuple[int, int]:
    return (min(max(width, 320), 2560), min(max(height, 240), 1600))
