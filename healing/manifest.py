"""kriptik.toml as a typed object. Every problem names its key and says what to write there.

The text comes from `Host.manifest_toml`, the copy that the owner accepted, never from the tree under
repair: a fix that edits the manifest must not relax the rules it is judged by.
"""

import re
import shlex
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic import model_validator as check_model

from healing import limits
from healing.errors import ManifestError

Kind = Literal[
    "SILENT_FAILURE",
    "ERROR",
    "SLOW_RESPONSE",
    "DATA_INCONSISTENCY",
    "AUTH_ISSUE",
    "BILLING_ISSUE",
    "UX_CONFUSION",
    "USER_REPORTED",
]
_NAME = r"^[a-z][a-z0-9_]{0,62}$"
_ENV = r"^[A-Z][A-Z0-9_]{0,62}$"
_DURATION = re.compile(r"^(\d{1,6})(s|m|h|d)$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: object) -> timedelta:
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _glob(value: object) -> str:
    if not isinstance(value, str) or not value or value.startswith("/") or ".." in value.split("/"):
        raise ValueError(f"{value!r} is not a path pattern inside the repository")
    return value


def _command(value: str) -> str:
    try:
        shlex.split(value)
    except ValueError as error:
        raise ValueError(f"{value!r} can't be split into words: {error}") from error
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Glob = Annotated[str, BeforeValidator(_glob)]
Name = Annotated[str, Field(pattern=_NAME)]
EnvName = Annotated[str, Field(pattern=_ENV)]
OptionalCommand = Annotated[str, Field(max_length=500), AfterValidator(_command)]
Command = Annotated[OptionalCommand, Field(min_length=1)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class HostSection(Section):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    start: Command
    health: Annotated[str, Field(pattern=r"^/")] = "/healthz"
    test: OptionalCommand = ""
    setup: OptionalCommand = ""
    log: Literal["stdout"] = "stdout"
    data_env: EnvName


class Service(Section):
    """An outside service of the host: the variable with its base URL, and its stand-in's command."""

    env: EnvName
    start: Command


class Account(Section):
    clone: Literal["hostkit"] = "hostkit"
    login: Literal["hostkit"] = "hostkit"
    describe: Literal["hostkit"] = "hostkit"


class Policy(Section):
    editable: tuple[Glob, ...] = ()
    protected: tuple[Glob, ...] = ()
    autonomy: Literal["observe", "propose", "auto"] = "propose"


class Ask(Section):
    """One question to the user before the action: choice id -> label; `proceed` are the ids meaning yes."""

    text: Annotated[str, Field(min_length=1, max_length=300)]
    choices: Annotated[dict[Name, Annotated[str, Field(min_length=1, max_length=80)]], Field(min_length=2)]
    proceed: Annotated[tuple[Name, ...], Field(min_length=1)]

    @check_model(mode="after")
    def _proceed_is_offered(self) -> Self:
        if unknown := set(self.proceed) - set(self.choices):
            raise ValueError(f"proceed names {sorted(unknown)}, which choices does not offer")
        return self


class Match(Section):
    reasons: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()


class Action(Section):
    for_: Annotated[tuple[Kind, ...], Field(min_length=1, validation_alias=AliasChoices("for", "for_"))]
    verify: Name
    inverse: Name
    cooldown: Duration = timedelta(seconds=limits.DEFAULT_COOLDOWN_S)
    ask: Ask | None = None
    match: Match = Match()


class Manifest(Section):
    host: HostSection
    services: dict[Name, Service] = {}
    account: Account = Account()
    policy: Policy = Policy()
    actions: dict[Name, Action] = {}

    @check_model(mode="after")
    def _start_takes_a_port(self) -> Self:
        for where, command in [("host", self.host.start)] + [
            (f"services.{name}", service.start) for name, service in self.services.items()
        ]:
            if "{port}" not in command:
                raise ValueError(f"{where}.start has no {{port}}")
        return self


# What to write, by the last part of the key; the first that matches wins.
_REMEDIES: Mapping[str, str] = {
    "host": "add a [host] table with name, start and data_env, as in docs/host-contract.md",
    "name": 'write the host\'s name, 1 to 80 characters, such as name = "forge"',
    "start": 'write a command that listens on {port}, such as start = "python -m forge --port {port}"',
    "test": 'write a command with its quotes closed, such as test = "python -m pytest -q tests"',
    "setup": 'write a command with its quotes closed, such as setup = "npm ci"',
    "health": 'write a path that answers 200 when the host is ready, such as health = "/healthz"',
    "log": 'only log = "stdout" is supported',
    "data_env": 'name the variable that points to the host\'s data folder, such as data_env = "FORGE_DATA"',
    "env": 'name the variable that holds the service\'s address, such as env = "FORGE_MODEL_URL"',
    "clone": 'write "hostkit"',
    "login": 'write "hostkit"',
    "describe": 'write "hostkit"',
    "editable": 'list path patterns inside the repository, such as editable = ["forge/**"]',
    "protected": 'list path patterns inside the repository, such as protected = ["forge/billing/**"]',
    "autonomy": 'write "observe", "propose" or "auto"',
    "for": "list incident types such as BILLING_ISSUE, DATA_INCONSISTENCY or AUTH_ISSUE",
    "verify": "name the invariant that must hold afterwards, in lower_case",
    "inverse": "name the action that undoes this one, in lower_case",
    "cooldown": 'write a number with s, m, h or d, such as cooldown = "60s"',
    "text": "write the question, 1 to 300 characters",
    "choices": 'write at least two, such as choices = {yes = "Yes, please", no = "No"}',
    "proceed": 'list the choices that mean yes, such as proceed = ["yes"]',
    "ask": "proceed may only name ids that choices offers",
}


def manifest_parse(text: str) -> Manifest:
    """The manifest of this text; raises ManifestError with every problem there is."""
    if not text.strip():
        raise ManifestError(["the file is empty. Remedy: accept a kriptik.toml for this host"])
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError([f"not valid TOML: {error}. Remedy: correct that line"]) from error
    except RecursionError as error:
        raise ManifestError(["nested too deeply. Remedy: see docs/host-contract.md"]) from error
    try:
        return Manifest.model_validate(value)
    except ValidationError as error:
        raise ManifestError([_problem(dict(item)) for item in error.errors()]) from error


def _problem(item: Mapping[str, Any]) -> str:
    parts = [str(part) for part in item["loc"] if str(part) not in ("[key]", "for_")]
    if item["type"] == "extra_forbidden":
        return f"{'.'.join(parts)}: this key is unknown. Remedy: remove it, or correct its spelling"
    if "has no {port}" in str(item["msg"]):
        where = str(item["msg"]).removeprefix("Value error, ").removesuffix(" has no {port}")
        return f"{where}: the command has no {{port}}. Remedy: {_REMEDIES['start']}"
    words = [part for part in parts if part in _REMEDIES]
    remedy = (
        _REMEDIES[words[-1]] if words else "names are lower_case words, values as in docs/host-contract.md"
    )
    told = str(item["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(parts) or 'kriptik.toml'}: {told}. Remedy: {remedy}"
