"""Everything that Ops says to a browser, as types. docs/protocol.md explains them to a reader.

Extra fields are an error here (in what a browser sends they are dropped): these are our own words, so a
field that is not declared is our bug.
"""

from typing import Annotated, Any, Literal

from django.db.models import TextChoices
from pydantic import BaseModel, ConfigDict, Field

PROTOCOL_VERSION = 1


class Kind(TextChoices):
    """What sort of trouble it is; the wire, the wording and the classification share these words."""

    SILENT_FAILURE = "SILENT_FAILURE"  # the user acted and nothing that they could see happened
    ERROR = "ERROR"  # an exception or a failed request
    SLOW_RESPONSE = "SLOW_RESPONSE"  # it worked, later than people wait
    DATA_INCONSISTENCY = "DATA_INCONSISTENCY"  # the page shows something else than it should
    AUTH_ISSUE = "AUTH_ISSUE"  # logging in, staying logged in
    BILLING_ISSUE = "BILLING_ISSUE"  # money, credits, plans
    UX_CONFUSION = "UX_CONFUSION"  # everything works, the user is lost
    USER_REPORTED = "USER_REPORTED"  # the user wrote to us


class Stage(TextChoices):
    """How far the help for one user has come; each is said only when it is a fact."""

    DETECTED = "detected"  # the report is stored
    DIAGNOSING = "diagnosing"  # a heal run looks for the cause
    ROOT_CAUSE_FOUND = "root_cause_found"  # a hypothesis held
    FIXING = "fixing"  # a remedy is being applied or written
    VERIFYING = "verifying"  # the remedy is being tried on a copy of the account
    NEEDS_INPUT = "needs_input"  # we asked this user something and wait
    REPRODUCTION_REQUEST = "reproduction_request"  # we ask the user to do it once more
    RESOLVED = "resolved"  # this user's remedy was verified
    ESCALATED = "escalated"  # a person looks at it
    ROLLED_BACK = "rolled_back"  # our remedy did harm or did not hold; the user is back on what was

    @property
    def is_urgent(self) -> bool:
        """Shown at once, never held back to spare the user a quick series of messages."""
        return self in {
            Stage.DETECTED,
            Stage.NEEDS_INPUT,
            Stage.REPRODUCTION_REQUEST,
            Stage.RESOLVED,
            Stage.ESCALATED,
            Stage.ROLLED_BACK,
        }


class Message(BaseModel):
    """Base of what we send."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def wire(self) -> dict[str, Any]:
        """The JSON object as it goes over the wire."""
        return self.model_dump(mode="json")


class Choice(Message):
    id: Annotated[str, Field(min_length=1, max_length=40)]
    label: Annotated[str, Field(min_length=1, max_length=80)]


class Question(Message):
    id: Annotated[str, Field(min_length=1, max_length=40)]
    text: Annotated[str, Field(min_length=1, max_length=500)]
    choices: Annotated[list[Choice], Field(max_length=6)] = []
    free_text: bool = False


class ReleaseCookie(Message):
    """A cookie for the host's page that puts its user on a candidate release."""

    cookie: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "kriptik_release"
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,128}$")]


Button = Literal["try_again", "tell_more", "not_now"]


class IncidentBody(Message):
    """The whole visible state of one incident for one user, all but its version.

    `release` has three states on the wire: absent (this incident has nothing to do with releases), an
    object (set the cookie), null (delete the cookie).
    """

    type: Literal["incident"] = "incident"
    incident: str
    stage: Stage
    kind: Kind
    title: Annotated[str, Field(min_length=1, max_length=120)]
    body: Annotated[str, Field(max_length=600)]
    progress: Annotated[float, Field(ge=0, le=1)] | None = None
    question: Question | None = None
    actions: Annotated[list[Button], Field(max_length=3)] = []
    ask_rating: bool = False
    seen: bool = False  # its user has put it away: cookies apply, nothing is shown
    release: ReleaseCookie | None = None
    at: Annotated[int, Field(ge=0)]  # ms since the epoch

    def wire(self) -> dict[str, Any]:
        exclude = set() if "release" in self.model_fields_set else {"release"}
        return self.model_dump(mode="json", exclude=exclude if self.seen else exclude | {"seen"})


class IncidentState(IncidentBody):
    """As the browser gets it: the higher version wins, so late and doubled messages do no harm."""

    version: Annotated[int, Field(ge=1)]


class WelcomeConfig(Message):
    silent_ms: int = 2500  # nothing visible for so long after an action: a silent failure
    slow_ms: int = 5000  # an answer later than this: a slow response
    shadow: bool = False  # detect and count, show nothing
    popup: bool = True


class Welcome(Message):
    type: Literal["welcome"] = "welcome"
    v: Literal[1] = 1
    session: str  # the capability; the browser keeps it, we keep its hash
    user: str | None
    config: WelcomeConfig = WelcomeConfig()
    server_time: int


class Snapshot(Message):
    type: Literal["snapshot"] = "snapshot"
    incidents: list[IncidentState]

    def wire(self) -> dict[str, Any]:
        return {"type": self.type, "incidents": [state.wire() for state in self.incidents]}


class Ack(Message):
    """Sent after the commit of what it names."""

    type: Literal["ack"] = "ack"
    client_event_id: str
    incident: str | None = None


class ChunkAck(Message):
    type: Literal["chunk_ack"] = "chunk_ack"
    client_event_id: str
    seq: int


class Pong(Message):
    type: Literal["pong"] = "pong"


ErrorCode = Literal[
    "bad_json",
    "unknown_type",
    "invalid_frame",
    "bad_key",
    "bad_origin",
    "bad_identity",
    "rate_limited",
    "too_large",
    "not_found",
]


class ErrorFrame(Message):
    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    client_event_id: str | None = None
    retry_after: float | None = None  # seconds; set for rate_limited
