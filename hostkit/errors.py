"""What hostkit refuses, with the code and the HTTP status that the other side sees."""

from __future__ import annotations


class HostKitError(Exception):
    """A refusal with a machine-readable code, a sentence for people and an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class RequestRefused(HostKitError):
    """The request isn't proved to come from Ops: answered 401, nothing was read or changed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, 401)


class UnknownUser(HostKitError):
    """Raised by a host's hook when it has no such user."""

    def __init__(self, user: str) -> None:
        super().__init__("unknown_user", f"This host has no user {user!r}.", 404)


class IdentityRefused(HostKitError):
    """A token that isn't a valid identity for this host."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_identity", message, 401)


class HostUnreachable(Exception):
    """The host gave no answer (refused connection, timeout, cut short). Trying again may help."""


class HostAnswerError(Exception):
    """The host answered, but not with a result: `status` and `code` say what it refused."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"the host answered {status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
