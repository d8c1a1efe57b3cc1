"""Errors that carry what the caller decides on."""

from typing import Any


class KriptikError(Exception):
    """Something that a person or a client can be told.

    `code` is a stable machine word, `message` says what was wrong and what to do, `status` is the HTTP
    status where the error reaches HTTP, `data` is structured detail that is safe to show.
    """

    code = "error"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None, **data: Any):
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status
        self.data = data

    def as_json(self) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message, **self.data}}


class NotFound(KriptikError):
    """Missing or not yours: the answer is the same, so that nobody can probe for what exists."""

    code = "not_found"
    status = 404


class Refused(KriptikError):
    """A rule says no. Trying again changes nothing."""

    code = "refused"
    status = 403


class Retriable(KriptikError):
    """The same call may succeed later."""

    code = "try_later"
    status = 503


class Permanent(KriptikError):
    """The same call will never succeed."""

    code = "permanent"
    status = 422


class NeedsOwner(KriptikError):
    """Only the owner can decide how this goes on."""

    code = "needs_owner"
    status = 409
