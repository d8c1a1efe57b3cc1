"""What goes into the sandbox and what comes out of it. The way out is untrusted: the host's code runs
beside the
bench's own runner, so every field is bounded and a record that does not parse is an error, never a pass.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from workbench.scenario.model import Scenario
from workbench.screen.facts import ScreenFacts

SPEC_FILE = "spec.json"
TREE, ACCOUNT, OUT, STATE = "tree", "account", "out", "state"
MAX_RECORD_BYTES = 1024 * 1024
MAX_SCREENSHOT_BYTES = 600 * 1024
MAX_LINES = 20

Line = Annotated[str, StringConstraints(max_length=500)]
Lines = Annotated[tuple[Line, ...], Field(max_length=MAX_LINES)]
Verdict = Literal["passed", "failed", "error"]


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceStart(Wire):
    env: str
    start: str


class HostStart(Wire):
    start: str
    health: str
    data_env: str
    services: dict[str, ServiceStart] = {}
    setup: str = ""
    env: dict[str, str] = {}


class BenchSpec(Wire):
    """One arm's work: `runs` runs of the scenario, `parallel` of them at a time. `user` None: an
    anonymous visitor.
    """

    scenario: Scenario
    host: HostStart
    user: str | None
    runs: int = Field(ge=1, le=100)
    parallel: int = Field(ge=1, le=8)
    chromium: str
    seal: str


class RunRecord(Wire):
    """How one run went, as the runner inside the sandbox tells it."""

    verdict: Verdict
    reason: Annotated[str, StringConstraints(max_length=1000)]
    seconds: Annotated[float, Field(ge=0, le=100_000)]
    console_errors: Lines = ()
    server_errors: Lines = ()
    notes: Lines = ()
    screen: ScreenFacts | None = None
    picture: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


def record_name(index: int) -> str:
    return f"run-{index:03d}.json"


def screenshot_name(index: int) -> str:
    return f"run-{index:03d}.jpg"


def bounded(lines: list[str]) -> tuple[str, ...]:
    """The first lines, each cut to its limit, without doubles."""
    return tuple(dict.fromkeys(line[:500] for line in lines if line))[:MAX_LINES]
