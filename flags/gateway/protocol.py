"""What a gateway can do: send one user's requests to one release, and take everyone back at once.

Every call says how things shall be and may be repeated, so a controller that crashed simply says it again.
A gateway starts with nobody on a candidate, and a membership is a lease: what is not renewed ends by itself,
in the gateway, whoever else is dead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import Retriable

COOKIE = "kriptik_release"
HEADER = "X-Kriptik-Release"  # of the answer: which release gave it
STABLE = "stable"


class GatewayDown(Retriable):
    """The gateway can't be reached or refused a command; nothing is known of its state."""

    code = "gateway_down"


@dataclass(frozen=True)
class Routed:
    """What the gateway has for one release: open `sessions` (sockets and requests), `up` by its own check."""

    port: int
    tokens: frozenset[str]
    everyone: bool
    up: bool
    sessions: int
    lease_left_s: float


@dataclass(frozen=True)
class Routing:
    """The gateway's present state: the port that stable is served from, and each candidate's."""

    stable_port: int
    releases: Mapping[str, Routed] = field(default_factory=dict)


class Gateway(Protocol):
    """All methods raise GatewayDown when the gateway does not do what it was told."""

    def ensure(self) -> None:
        """Returns when the gateway answers; raises GatewayDown otherwise."""

    def observed(self) -> Routing:
        """The state as the gateway tells it."""

    def stable_set(self, port: int) -> None:
        """Serves everyone without a candidate from this port; open requests finish where they are."""

    def add_release(self, release: str, port: int) -> None:
        """Makes room for a candidate; nobody is on it yet. Without a lease it gets no traffic."""

    def assign(self, token: str, release: str) -> None:
        """Sends whoever carries the token to the release."""

    def unassign(self, token: str) -> None:
        """Sends whoever carries the token to stable."""

    def everyone(self, release: str | None) -> None:
        """Sends those without a token of their own to the release, or to stable for None."""

    def renew(self, release: str, seconds: float) -> None:
        """Keeps the release's members on it for so long from now."""

    def route_away(self, release: str) -> None:
        """Sends its members' new requests to stable. One command: the fast part of a kill."""

    def sever(self, release: str) -> int:
        """Closes what is open on the release (sockets, streams, requests); returns how many there were."""

    def remove(self, release: str) -> None:
        """Forgets the release, its tokens and its lease."""

    def answered_by(self, token: str | None, path: str) -> str:
        """Asks for `path` through the gateway like a user would; returns the release that answered."""
