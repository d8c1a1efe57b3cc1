"""What the compiler reads of a report and of healthy outcomes: untrusted, so typed and bounded before
anything else.

Unknown fields are dropped (an older or newer SDK), wrong ones refuse the report.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from workbench.scenario.model import MAX_CANDIDATES, Locator, StepKind

MAX_ACTIONS = 500

Text = Annotated[str, StringConstraints(max_length=4000)]
Url = Annotated[str, StringConstraints(max_length=4000)]
Word = Annotated[str, StringConstraints(max_length=200)]
Status = Annotated[int, Field(ge=0, le=599)]


def _usable_locators(value: object) -> object:
    """A locator that can't be read costs one candidate, not the report."""
    if not isinstance(value, list):
        return value
    usable = []
    for item in value[: 4 * MAX_CANDIDATES]:
        try:
            usable.append(Locator.model_validate(item))
        except ValidationError:
            continue
    return usable[:MAX_CANDIDATES]


Locators = Annotated[list[Locator], BeforeValidator(_usable_locators)]


class Recorded(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Element(Recorded):
    tag: Word = ""
    role: Word | None = None
    name: Text | None = None
    fingerprint: Text = ""
    locators: Locators = []


class Exchange(Recorded):
    """One request of the page and what came back."""

    method: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,10}$", to_upper=True)]
    path: Url
    status: Status = 0
    action_id: Word | None = None
    ms: Annotated[float, Field(ge=0)] | None = None


class After(Recorded):
    requests: Annotated[list[Exchange], Field(max_length=200)] = []
    navigated: Url | None = None
    mutated: bool = False
    appeared: Locators = []
    ms: Annotated[float, Field(ge=0)] | None = None

    @property
    def nothing(self) -> bool:
        return not (self.requests or self.navigated or self.mutated or self.appeared)


class Action(Recorded):
    id: Word
    kind: StepKind | Literal["submit", "hover"]
    at: Annotated[float, Field(ge=0)] = 0
    url: Url = "/"
    element: Element | None = None
    value: Text | None = None
    shape: Annotated[str, StringConstraints(max_length=200)] | None = None
    key: Word | None = None
    after: After = After()


class ConsoleLine(Recorded):
    level: Word = "error"
    text: Text = ""


class PageError(Recorded):
    type: Word = "Error"
    message: Text = ""


class ShownWrongly(Recorded):
    name: Word
    shown: Word
    expected: Word


class Viewport(Recorded):
    w: int = 1280
    h: int = 720


class Report(Recorded):
    kind: Word
    page: Url = "/"
    route: Url | None = None
    action_id: Word | None = None
    element: Element | None = None
    reasons: Annotated[list[Word], Field(max_length=50)] = []
    error: PageError | None = None
    requests: Annotated[list[Exchange], Field(max_length=500)] = []
    console: Annotated[list[ConsoleLine], Field(max_length=500)] = []
    actions: Annotated[list[Action], Field(max_length=MAX_ACTIONS)] = []
    expectation: ShownWrongly | None = None
    viewport: Viewport | None = None
    locale: Word = "en"


class Outcome(Recorded):
    route: Url = "/"
    element: Element | None = None
    ms: Annotated[float, Field(ge=0)] | None = None
    requests: Annotated[list[Exchange], Field(max_length=200)] = []
    navigated: Url | None = None
    appeared: Locators = []


class UpstreamCall(Recorded):
    """A call of the host to an outside service, recorded by the server's SDK."""

    service: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    method: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,10}$", to_upper=True)] = "GET"
    path: Url = "/"
    status: Status = 0
    retry_after: Annotated[str, StringConstraints(max_length=80)] | float | None = None


def first_problem(error: ValidationError) -> str:
    """`actions.3.kind: ...`, without the value: it is the visitor's text."""
    problem = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
