"""The gateway's log lines as typed request records."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flags.gateway.protocol import STABLE
from incidents.fingerprint import path_pattern

_TRACE = re.compile(r"^[0-9a-f]{32}$")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class LogLine(BaseModel):
    """One line as HAProxy writes it. `tr`: ms to the answer's first byte, -1 when there was none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slot: str
    server: str
    release: str
    status: int
    tr: int
    ta: int
    retries: str
    method: str
    path: str
    member: str
    page: str
    trace: str


class LoggedRequest(BaseModel):
    """One request: which release answered, on which route, how, and how fast. No personal data."""

    model_config = ConfigDict(frozen=True)

    release: str
    method: Annotated[str, Field(max_length=10)]
    route: Annotated[str, Field(max_length=300)]
    status: int
    ms: int
    member: Annotated[str, Field(max_length=40)]
    page: bool
    masked: bool
    trace: Annotated[str, Field(max_length=32)]


def parse(line: bytes) -> LoggedRequest | None:
    """The request of a log line; None for HAProxy's own messages."""
    if not line.startswith(b"{"):
        return None
    try:
        return _typed(LogLine.model_validate_json(line.strip()))
    except ValidationError:
        return None


def _typed(line: LogLine) -> LoggedRequest:
    failed_over = line.server == "fallback" and line.retries not in {"0", "-"}
    by_candidate = line.server == "app" and line.slot != STABLE
    return LoggedRequest(
        release=line.release if by_candidate or failed_over else STABLE,
        method=line.method if line.method in _METHODS else "OTHER",
        route=path_pattern(line.path),
        status=max(0, line.status),
        ms=line.tr if line.tr >= 0 else max(0, line.ta),
        member=_given(line.member).lower() if by_candidate or failed_over else "",
        page=line.page == "1",
        masked=failed_over,
        trace=line.trace if _TRACE.match(line.trace) else "",
    )


def _given(value: str) -> str:
    return "" if value == "-" else value
