"""A host's hooks in one object: `kit = HostKit(...)`, then decorate what knows the application."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from hostkit.identity import REMEMBER_COOKIE, forget, identity_token, remember, remembered_user
from hostkit.nonces import MemoryNonceStore, NonceStore
from hostkit.shapes import ActionCall, ActionResult, Clone, Cookie, Description, Invariant, Request

CurrentUserHook = Callable[[Request], str | None]
ClaimsHook = Callable[[str], Mapping[str, Any]]
DescribeHook = Callable[[str], Description]
CloneHook = Callable[[str | None], Clone]
LoginHook = Callable[[str], Sequence[Cookie]]
ActionHook = Callable[[ActionCall], ActionResult]
InvariantHook = Callable[[str], Invariant]
_Hook = TypeVar("_Hook", bound=Callable[..., Any])


class HostKit:
    """Secret, host slug and hooks. Without a secret no Ops is connected: every endpoint answers 404."""

    def __init__(
        self,
        *,
        host: str,
        secret: str,
        nonces: NonceStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host = host
        self.secret = secret
        self.nonces: NonceStore = MemoryNonceStore() if nonces is None else nonces
        self.clock = clock
        self.hooks: dict[str, Callable[..., Any]] = {}
        self.actions: dict[str, ActionHook] = {}
        self.invariants: dict[str, InvariantHook] = {}

    @classmethod
    def from_env(cls, *, default_host: str, nonces: NonceStore | None = None) -> HostKit:
        """KRIPTIK_SECRET and KRIPTIK_HOST; `default_host` is the slug when the variable isn't set."""
        return cls(
            host=os.environ.get("KRIPTIK_HOST") or default_host,
            secret=os.environ.get("KRIPTIK_SECRET", ""),
            nonces=nonces,
        )

    def current_user(self, hook: CurrentUserHook) -> CurrentUserHook:
        """The hook that reads the application's own session: user id, or None."""
        return self._add("current_user", hook)

    def claims(self, hook: ClaimsHook) -> ClaimsHook:
        """The hook for the optional claims (plan, role) of a user's identity."""
        return self._add("claims", hook)

    def describe(self, hook: DescribeHook) -> DescribeHook:
        return self._add("describe", hook)

    def clone(self, hook: CloneHook) -> CloneHook:
        return self._add("clone", hook)

    def login(self, hook: LoginHook) -> LoginHook:
        return self._add("login", hook)

    def action(self, name: str) -> Callable[[ActionHook], ActionHook]:
        def add(hook: ActionHook) -> ActionHook:
            return _add_once(self.actions, name, hook)

        return add

    def invariant(self, name: str) -> Callable[[InvariantHook], InvariantHook]:
        def add(hook: InvariantHook) -> InvariantHook:
            return _add_once(self.invariants, name, hook)

        return add

    def user_of(self, request: Request) -> str | None:
        """The logged-in user; else who last proved a password in this browser (see `hostkit.remember`)."""
        hook: CurrentUserHook | None = self.hooks.get("current_user")
        user = hook(request) if hook else None
        if user is not None:
            return user
        return remembered_user(self.secret, self.host, request.cookies.get(REMEMBER_COOKIE, ""))

    def identity(self, user: str) -> str:
        hook: ClaimsHook | None = self.hooks.get("claims")
        return identity_token(self.secret, self.host, user, clock=self.clock, **(hook(user) if hook else {}))

    def remember(self, response_headers: Any, user: str, *, secure: bool = False) -> None:
        """`hostkit.remember` with this kit's secret and host."""
        remember(response_headers, user, secret=self.secret, host=self.host, secure=secure)

    def forget(self, response_headers: Any, *, secure: bool = False) -> None:
        forget(response_headers, secure=secure)

    def _add(self, name: str, hook: _Hook) -> _Hook:
        return _add_once(self.hooks, name, hook)


def _add_once(table: dict[str, Any], name: str, hook: _Hook) -> _Hook:
    if name in table:
        raise ValueError(f"{name!r} has a hook already; each may be registered once")
    table[name] = hook
    return hook
