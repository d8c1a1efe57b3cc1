"""How a release of a host is started. Handed in by whoever knows the host's manifest."""

import shlex
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator


class ReleaseSpec(BaseModel):
    """Command, health path and environment of a host process.

    `start` is one command line with `{port}` in it, split like a shell would but run without one.
    `setup` is such a line without a port, run once in a release's fresh tree; "" is nothing to do.
    `env` are the variables the host gets; `data_env` names the one that points at `data_dir`, the host's
    data, which stable and candidate share. `memory_mb` is the budget of one process when it is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str = Field(min_length=1, max_length=1000)
    setup: str = Field(default="", max_length=1000)
    health: str = Field(default="/healthz", pattern=r"^/")
    env: dict[str, str] = {}
    data_dir: Path | None = None
    data_env: str = ""
    memory_mb: int | None = Field(default=None, ge=1)

    @field_validator("start")
    @classmethod
    def _has_a_port(cls, value: str) -> str:
        if "{port}" not in value:
            raise ValueError("the start command has no {port}: the release's port is chosen by us")
        return value

    @field_validator("start", "setup")
    @classmethod
    def _can_be_split(cls, value: str) -> str:
        try:
            shlex.split(value)
        except ValueError as error:
            raise ValueError(f"the command {value!r} can't be split into words: {error}") from error
        return value
