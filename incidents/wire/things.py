"""What reports and outcomes are made of."""

import json
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from incidents.wire.fields import (
    STATE_BYTES,
    BrowserModel,
    Duration,
    EventId,
    Line,
    Ms,
    Name,
    Path,
    Status,
    Text,
    TraceId,
    Url,
    Word,
    count_cut,
    cut,
    last,
    shape_of,
    whole,
)
from notifications.messages import Kind


class RoleLocator(BrowserModel):
    by: Literal["role"]
    role: Name
    name: Name | None = None


class ValueLocator(BrowserModel):
    by: Literal["testid", "placeholder", "label", "text", "css"]
    value: Line


Locator = Annotated[RoleLocator | ValueLocator, Field(discriminator="by")]
Locators = Annotated[list[Locator], BeforeValidator(last(20)), Field(max_length=20)]


class Element(BrowserModel):
    tag: Name
    role: Name | None = None
    name: Name | None = None
    fingerprint: Name
    locators: Annotated[list[Locator], Field(max_length=12)] = []


class ErrorInfo(BrowserModel):
    type: Name = "Error"
    message: Line = ""
    stack: Annotated[str, BeforeValidator(cut(16_000))] | None = None


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
    text: Annotated[str, BeforeValidator(cut(2000))]
    at: Ms | None = None


class After(BrowserModel):
    """What followed an action."""

    requests: Annotated[list[Request], BeforeValidator(last(20)), Field(max_length=20)] = []
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
    shape: Annotated[str, BeforeValidator(cut(80))] | None = None
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
    w: Annotated[int, BeforeValidator(whole), Field(ge=0, le=100_000)]
    h: Annotated[int, BeforeValidator(whole), Field(ge=0, le=100_000)]


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
    requests: Annotated[list[Request], BeforeValidator(last(50)), Field(max_length=50)] = []
    console: Annotated[list[ConsoleLine], BeforeValidator(last(200)), Field(max_length=200)] = []
    actions: Annotated[list[Action], BeforeValidator(last(200)), Field(max_length=200)] = []
    state: dict[str, Any] | None = None
    expectation: Expectation | None = None
    text: Text | None = None
    viewport: Viewport | None = None
    locale: Annotated[str, BeforeValidator(cut(35))] = ""
    user_agent: Annotated[str, BeforeValidator(cut(400))] = ""

    @field_validator("state", mode="before")
    @classmethod
    def _small_state(cls, value: Any, info: ValidationInfo) -> Any:
        """The state is the host's own extra: a report is worth keeping without it."""
        if isinstance(value, dict) and len(json.dumps(value)) > STATE_BYTES:
            count_cut(info)
            return None
        return value


class Outcome(BrowserModel):
    """How an action looked when it worked."""

    route: Path
    element: Element
    at: Ms
    ms: Duration | None = None
    requests: Annotated[list[Request], BeforeValidator(last(20)), Field(max_length=20)] = []
    navigated: Url | None = None
    appeared: Locators = []
