"""What a browser sends, as types (INTERFACES: docs/protocol.md; examples: contract/).

Unknown fields are dropped and counted, so that a newer SDK can talk to an older Ops. Free text and
histories that are too long are cut (losing a report over a long stack would be absurd); structure that is
too large or wrong is refused. Pass `context=Leniency()` to count what was dropped.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from notifications.messages import ErrorCode, Kind

FRAME_BYTES = 512 * 1024
MAX_MS = 253_402_300_799_000  # the end of the year 9999: the largest datetime
STATE_BYTES = 8 * 1024


@dataclass
class Leniency:
    """Counts what was let go in one frame."""

    dropped_fields: int = 0
    cut_values: int = 0


def _cut(length: int) -> Callable[[Any, ValidationInfo], Any]:
    def cut(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and len(value) > length:
            _count_cut(info)
            return value[:length]
        return value

    return cut


def _last(length: int) -> Callable[[Any, ValidationInfo], Any]:
    def last(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, list) and len(value) > length:
            _count_cut(info)
            return value[-length:]
        return value

    return last


def _count_cut(info: ValidationInfo) -> None:
    if isinstance(info.context, Leniency):
        info.context.cut_values += 1


def _whole(value: Any) -> Any:
    """performance.now() and friends give fractions of a millisecond."""
    return round(value) if isinstance(value, float) else value


Ms = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MAX_MS)]  # an instant, ms since the epoch
Duration = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=86_400_000)]  # ms
Status = Annotated[int, Field(ge=0, le=999)]  # 0: no answer came
Name = Annotated[str, BeforeValidator(_cut(200))]
Line = Annotated[str, BeforeValidator(_cut(500))]
Text = Annotated[str, BeforeValidator(_cut(4000))]
Url = Annotated[str, BeforeValidator(_cut(2000))]
Path = Annotated[str, BeforeValidator(_cut(300))]
Word = Annotated[str, StringConstraints(max_length=60, pattern=r"^[A-Za-z0-9_.:-]+$")]
EventId = Annotated[str, StringConstraints(max_length=36, min_length=8, pattern=r"^[A-Za-z0-9-]+$")]
IncidentId = Annotated[str, StringConstraints(max_length=32, pattern=r"^inc_[a-z0-9]+$")]
TraceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class BrowserModel(BaseModel):
    """Base of what comes from a browser."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _count_unknown(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and isinstance(info.context, Leniency):
            info.context.dropped_fields += len(data.keys() - cls.model_fields.keys())
        return data


class RoleLocator(BrowserModel):
    by: Literal["role"]
    role: Name
    name: Name | None = None


class ValueLocator(BrowserModel):
    by: Literal["testid", "placeholder", "label", "text", "css"]
    value: Line


Locator = Annotated[RoleLocator | ValueLocator, Field(discriminator="by")]
Locators = Annotated[list[Locator], BeforeValidator(_last(20)), Field(max_length=20)]


class Element(BrowserModel):
    tag: Name
    role: Name | None = None
    name: Name | None = None
    fingerprint: Name
    locators: Annotated[list[Locator], Field(max_length=12)] = []


class ErrorInfo(BrowserModel):
    type: Name = "Error"
    message: Line = ""
    stack: Annotated[str, BeforeValidator(_cut(16_000))] | None = None


class Request(BrowserModel):
    action_id: Name | None = None
    method: Annotated[str, StringConstraints(max_length=10, pattern=r"^[A-Za-z]+$", to_upper=True)]
    path: Url
    status: Status
    ms: Duration | None = None
    at: Ms | None = None
    trace_id: TraceId | None = None
    body_shape: Line | None = None
    response_excerpt: Line | None = None


class ConsoleLine(BrowserModel):
    level: Word
    text: Annotated[str, BeforeValidator(_cut(2000))]
    at: Ms | None = None


class After(BrowserModel):
    """What followed an action."""

    requests: Annotated[list[Request], BeforeValidator(_last(20)), Field(max_length=20)] = []
    navigated: Url | None = None
    mutated: bool = False
    appeared: Locators = []
    ms: Duration | None = None


class Action(BrowserModel):
    id: Name
    kind: Literal["navigate", "click", "fill", "press", "select", "check", "upload", "back"]
    at: Ms
    url: Url
    element: Element | None = None
    value: Line | None = None
    shape: Annotated[str, BeforeValidator(_cut(80))] | None = None
    key: Name | None = None
    after: After = After()

    @field_validator("shape")
    @classmethod
    def _is_a_shape(cls, value: str | None) -> str | None:
        return None if value is None else shape_of(value)


class Expectation(BrowserModel):
    name: Name
    shown: Line
    expected: Line


class Viewport(BrowserModel):
    w: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=100_000)]
    h: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=100_000)]


class Report(BrowserModel):
    """One thing that went wrong in a browser."""

    client_event_id: EventId
    kind: Kind
    at: Ms
    action_id: Name | None = None
    trace_id: TraceId | None = None
    message: Line = ""
    page: Url = ""
    route: Path = ""
    element: Element | None = None
    reasons: Annotated[list[Word], Field(max_length=20)] = []
    error: ErrorInfo | None = None
    requests: Annotated[list[Request], BeforeValidator(_last(50)), Field(max_length=50)] = []
    console: Annotated[list[ConsoleLine], BeforeValidator(_last(200)), Field(max_length=200)] = []
    actions: Annotated[list[Action], BeforeValidator(_last(200)), Field(max_length=200)] = []
    state: dict[str, Any] | None = None
    expectation: Expectation | None = None
    text: Text | None = None
    viewport: Viewport | None = None
    locale: Annotated[str, BeforeValidator(_cut(35))] = ""
    user_agent: Annotated[str, BeforeValidator(_cut(400))] = ""

    @field_validator("state", mode="before")
    @classmethod
    def _small_state(cls, value: Any, info: ValidationInfo) -> Any:
        """The state is the host's own extra: a report is worth keeping without it."""
        if isinstance(value, dict) and len(json.dumps(value)) > STATE_BYTES:
            _count_cut(info)
            return None
        return value


class Outcome(BrowserModel):
    """How an action looked when it worked."""

    route: Path
    element: Element
    at: Ms
    ms: Duration | None = None
    requests: Annotated[list[Request], BeforeValidator(_last(20)), Field(max_length=20)] = []
    navigated: Url | None = None
    appeared: Locators = []


class Hello(BrowserModel):
    type: Literal["hello"]
    v: Literal[1]
    key: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    session: Annotated[str, StringConstraints(max_length=128)] | None = None
    identity: Annotated[str, StringConstraints(max_length=4096)] | None = None
    page: Url = ""
    sdk: Annotated[str, BeforeValidator(_cut(40))] = ""
    locale: Annotated[str, BeforeValidator(_cut(35))] = ""
    user_agent: Annotated[str, BeforeValidator(_cut(400))] = ""


class ReportFrame(BrowserModel):
    type: Literal["report"]
    report: Report


class ChunkFrame(BrowserModel):
    type: Literal["chunk"]
    client_event_id: EventId
    seq: Annotated[int, Field(ge=0, lt=1000)]
    last: bool = False
    encoding: Literal["gzip+base64"]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    data: Annotated[str, StringConstraints(max_length=FRAME_BYTES)]


class OutcomeFrame(BrowserModel):
    type: Literal["outcome"]
    outcome: Outcome


class AnswerFrame(BrowserModel):
    type: Literal["answer"]
    incident: IncidentId
    question: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    choice: Annotated[str, StringConstraints(max_length=40)] | None = None
    text: Text | None = None
    client_event_id: EventId

    @model_validator(mode="after")
    def _says_something(self) -> "AnswerFrame":
        if self.choice is None and not (self.text or "").strip():
            raise ValueError("an answer has a choice or a text")
        return self


class RatingFrame(BrowserModel):
    type: Literal["rating"]
    incident: IncidentId
    stars: Annotated[int, Field(ge=1, le=5)]
    text: Text | None = None
    client_event_id: EventId


class TryAgainFrame(BrowserModel):
    type: Literal["try_again"]
    incident: IncidentId
    client_event_id: EventId


class SeenFrame(BrowserModel):
    """The user has put a message away. No ack: losing one shows old news once more, no worse."""

    type: Literal["seen"]
    incident: IncidentId
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class IdentifyFrame(BrowserModel):
    type: Literal["identify"]
    identity: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class PingFrame(BrowserModel):
    type: Literal["ping"]


Frame = (
    Hello
    | ReportFrame
    | ChunkFrame
    | OutcomeFrame
    | AnswerFrame
    | RatingFrame
    | TryAgainFrame
    | SeenFrame
    | IdentifyFrame
    | PingFrame
)
FRAMES: dict[str, type[Frame]] = {
    "hello": Hello,
    "report": ReportFrame,
    "chunk": ChunkFrame,
    "outcome": OutcomeFrame,
    "answer": AnswerFrame,
    "rating": RatingFrame,
    "try_again": TryAgainFrame,
    "seen": SeenFrame,
    "identify": IdentifyFrame,
    "ping": PingFrame,
}


class FrameRefused(Exception):
    """A frame that we don't take; becomes an error frame."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        client_event_id: str | None = None,
        retry_after: float | None = None,
    ):
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.client_event_id = client_event_id
        self.retry_after = retry_after


def frame_parse(value: Any, leniency: Leniency | None = None) -> Frame:
    """The typed frame of a parsed JSON value; raises FrameRefused with unknown_type or invalid_frame."""
    if not isinstance(value, dict):
        raise FrameRefused("invalid_frame", "A frame is a JSON object.")
    name = value.get("type")
    model = FRAMES.get(name) if isinstance(name, str) else None
    if model is None:
        known = ", ".join(FRAMES)
        raise FrameRefused("unknown_type", f"Unknown frame type. Known are: {known}.")
    try:
        return model.model_validate(value, context=leniency or Leniency())
    except ValidationError as error:
        raise FrameRefused("invalid_frame", _explain(error), client_event_id=_event_id_of(value)) from error


def _explain(error: ValidationError) -> str:
    """Where and what, without echoing the value: it may hold anything."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[:3]
    return "; ".join(f"{'.'.join(str(part)[:40] for part in e['loc'])}: {e['msg']}"[:200] for e in first)


def _event_id_of(value: dict[str, Any]) -> str | None:
    """So that the SDK can stop resending what will never be taken."""
    if value.get("type") == "chunk":
        return f"{value.get('client_event_id')}:{value.get('seq')}"[:80]
    report = value.get("report")
    found = value.get("client_event_id") or (
        report.get("client_event_id") if isinstance(report, dict) else None
    )
    return found if isinstance(found, str) and len(found) <= 36 else None


def shape_of(text: str) -> str:
    """`Mia.Lang42@x.io` -> `Aaa.Aaaa99@a.aa`: enforced here: a forged client might send values."""
    return "".join(_shape_char(char) for char in text)


def _shape_char(char: str) -> str:
    if char.isdigit():
        return "9"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return char
