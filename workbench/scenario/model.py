"""The scenario: what to do, what must be gone, what must appear. Data only, frozen, bounded, safe to store
as JSON.

Everything here may come from an untrusted recording, so each string has a limit and nothing in it is ever
code, a
shell word or a file name.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MAX_STEPS = 60
MAX_CANDIDATES = 8
MAX_FAULT_TIMES = 5

_SECONDS = re.compile(r"[0-9]{1,5}(\.[0-9]+)?")
_UPLOAD = re.compile(r"[a-z0-9]{1,8} [0-9]{1,7}")

Text = Annotated[str, StringConstraints(max_length=500)]
Word = Annotated[str, StringConstraints(max_length=80)]
Method = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,10}$")]
# One leading slash only: "//other.example" would leave the host.
Path = Annotated[str, StringConstraints(pattern=r"^/([^/\s\\][^\s\\]*)?$", max_length=2000)]
StatusClass = Literal["0", "1xx", "2xx", "3xx", "4xx", "5xx"]
LocatorKind = Literal["testid", "role", "placeholder", "label", "text", "css"]
StepKind = Literal["click", "fill", "press", "select", "check", "upload", "navigate", "back"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Locator(Frozen):
    """One way to find one element, as the SDK recorded it; `name` only with by="role"."""

    by: LocatorKind
    value: Text | None = None
    role: Word | None = None
    name: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.by == "role":
            if not self.role:
                raise ValueError("a locator by role needs a role")
        elif not self.value:
            raise ValueError(f"a locator by {self.by} needs a value")
        return self

    def describe(self) -> str:
        if self.by == "role":
            return f"{self.role} {self.name!r}" if self.name else f"{self.role}"
        return f"{self.by} {self.value!r}"


class RequestPattern(Frozen):
    """A request of the host's own origin; in `path` ids are written `:id`, the query is left out."""

    method: Method
    path: Path
    status: StatusClass | None = None


class Wait(Frozen):
    """What followed the action when it was recorded; the next step starts when all of it came about."""

    request: RequestPattern | None = None
    navigated: Path | None = None
    appeared: Locator | None = None
    timeout_ms: int = Field(default=8000, ge=100, le=30_000)

    @property
    def empty(self) -> bool:
        return self.request is None and self.navigated is None and self.appeared is None


class Step(Frozen):
    """One action. `locators` in Playwright's order of preference; the first that matches exactly one
    element is used.
    """

    kind: StepKind
    locators: Annotated[tuple[Locator, ...], Field(max_length=MAX_CANDIDATES)] = ()
    value: Annotated[str, StringConstraints(max_length=4000)] | None = None  # upload: "png 2048"
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+]{1,40}$")] | None = None
    path: Path | None = None
    wait: Wait | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"fill": self.value, "select": self.value, "press": self.key, "navigate": self.path}
        if self.kind in needed and needed[self.kind] is None:
            raise ValueError(f"a {self.kind} step lacks what it should {self.kind}")
        if self.kind not in ("navigate", "back", "press") and not self.locators:
            raise ValueError(f"a {self.kind} step needs a locator")
        if self.kind == "upload" and not _UPLOAD.fullmatch(self.value or ""):
            raise ValueError("an upload step names extension and size of its file, like 'png 2048'")
        return self

    def describe(self) -> str:
        target = self.locators[0].describe() if self.locators else (self.path or self.key or "")
        return f"{self.kind} {target}".strip()


class Expectation(Frozen):
    """A value that the page showed wrongly: the element read `shown` where `expected` was true."""

    name: Word
    locators: Annotated[tuple[Locator, ...], Field(min_length=1, max_length=MAX_CANDIDATES)]
    shown: Word
    expected: Word


class FailureOracle(Frozen):
    """What must be gone. The failure shows when any one of these signs shows."""

    request: RequestPattern | None = None
    no_visible_response: bool = False
    console: Annotated[tuple[Text, ...], Field(max_length=10)] = ()
    exception: Text | None = None
    expectation: Expectation | None = None
    slower_than_ms: int | None = Field(default=None, ge=100, le=60_000)
    silent_ms: int = Field(default=2500, ge=200, le=20_000)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        signs = (self.request, self.console, self.exception, self.expectation, self.slower_than_ms)
        if not self.no_visible_response and not any(signs):
            raise ValueError("a failure oracle needs at least one sign")
        return self


class PositiveOracle(Frozen):
    """What must appear, all of it; `source` says whether healthy users showed it or only the report
    implies it.
    """

    source: Literal["healthy_outcomes", "report"]
    observed: int = Field(default=0, ge=0, description="healthy outcomes that it was taken from")
    request: RequestPattern | None = None
    appeared: Annotated[tuple[Locator, ...], Field(max_length=MAX_CANDIDATES)] = ()
    navigated: Path | None = None
    visible_change: bool = False
    expectation: Expectation | None = None
    within_ms: int = Field(default=8000, ge=500, le=30_000)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        outcomes = (self.request, self.appeared, self.navigated, self.expectation)
        if not (self.visible_change or any(outcomes)):
            raise ValueError("a positive oracle needs at least one outcome")
        return self


class Fault(Frozen):
    """A failure of an outside service as it was recorded: answered `times` times, then the stand-in
    answers.
    """

    service: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    status: int = Field(ge=0, le=599, description="0: the connection is cut")
    headers: dict[Word, Word] = Field(default_factory=dict, max_length=10)
    times: int = Field(default=1, ge=1, le=MAX_FAULT_TIMES)
    method: Method | None = None
    path: Path | None = None

    @property
    def retry_after_ms(self) -> int:
        """How long the service asked to wait, at most 10 s; 1 s when it did not say, or gave a date."""
        value = self.headers.get("Retry-After", "")
        return min(int(float(value) * 1000), 10_000) if _SECONDS.fullmatch(value) else 1000


class Scenario(Frozen):
    """A whole reproduction. The failing action is the last step, or opening `start_path` when there is
    no step.
    """

    version: Literal[1] = 1
    start_path: Path
    steps: Annotated[tuple[Step, ...], Field(max_length=MAX_STEPS)] = ()
    failure: FailureOracle
    positive: PositiveOracle
    faults: Annotated[tuple[Fault, ...], Field(max_length=20)] = ()
    user: Annotated[str, StringConstraints(max_length=200)] | None = None
    viewport: tuple[int, int] = (1280, 720)
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{2,35}$")] = "en"
    notes: Annotated[tuple[Text, ...], Field(max_length=20)] = ()

    def to_json(self) -> str:
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Scenario:
        """Raises pydantic.ValidationError (a ValueError) for anything but a scenario of this version."""
        if len(text) > 512 * 1024:
            raise ValueError("a scenario has at most 512 KiB")
        return cls.model_validate_json(text)
