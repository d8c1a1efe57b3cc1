"""The frames themselves, and the one way from parsed JSON to one of them."""

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from incidents.wire.fields import FRAME_BYTES, BrowserModel, EventId, IncidentId, Leniency, Text, Url, cut
from incidents.wire.things import Outcome, Report
from notifications.messages import ErrorCode


class Hello(BrowserModel):
    type: Literal["hello"]
    v: Literal[1]
    key: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    session: Annotated[str, StringConstraints(max_length=128)] | None = None
    identity: Annotated[str, StringConstraints(max_length=4096)] | None = None
    page: Url = ""
    sdk: Annotated[str, BeforeValidator(cut(40))] = ""
    locale: Annotated[str, BeforeValidator(cut(35))] = ""
    user_agent: Annotated[str, BeforeValidator(cut(400))] = ""


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
