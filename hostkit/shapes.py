"""The values that pass between hostkit and the hooks of a host, and the shapes on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal, TypedDict

Scalar = str | int | float | bool | None
Mode = Literal["dry_run", "apply"]


@dataclass(frozen=True)
class Request:
    """One HTTP request, whatever framework took it. Header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def cookies(self) -> dict[str, str]:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(self.headers.get("cookie", ""))
        except CookieError:
            return {}
        return {name: morsel.value for name, morsel in jar.items()}


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Description:
    """What Ops may know of a user: no name, no e-mail. `created` is ms since the epoch."""

    plan: str = ""
    role: str = ""
    created: int | None = None
    facts: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Clone:
    """One account, alone and scrubbed: file name -> content, laid into an empty data directory."""

    user: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Cookie:
    """A session cookie minted for a user on a sandboxed copy of the host."""

    name: str
    value: str
    path: str = "/"
    http_only: bool = True


@dataclass(frozen=True)
class ActionCall:
    """One call of an action. `idempotency_key`: the same key must never change anything twice."""

    name: str
    user: str
    mode: Mode
    args: Mapping[str, Any]
    idempotency_key: str


@dataclass(frozen=True)
class ActionResult:
    """`changed` maps a field to (before, after); `undo` is what the inverse action takes as its args."""

    applicable: bool
    reason: str
    changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    undo: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Invariant:
    """Whether a promise to this user holds now, and the numbers it was judged by."""

    holds: bool
    facts: Mapping[str, Scalar] = field(default_factory=dict)


class DescribeReply(TypedDict):
    user: str
    plan: str
    role: str
    created: int | None
    facts: dict[str, Scalar]


class CloneReply(TypedDict):
    user: str
    files: dict[str, str]


class CookieReply(TypedDict):
    name: str
    value: str
    path: str
    httpOnly: bool


class LoginReply(TypedDict):
    cookies: list[CookieReply]


class ActionReply(TypedDict):
    applicable: bool
    reason: str
    changed: dict[str, list[Any]]
    undo: dict[str, Any] | None


class InvariantReply(TypedDict):
    holds: bool
    facts: dict[str, Scalar]
