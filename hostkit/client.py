"""Ops' side of the host contract: calls a host's operations, signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from hostkit.answers import ANSWERS, bad_answer
from hostkit.endpoints import OPS_PREFIX
from hostkit.errors import HostAnswerError, HostUnreachable
from hostkit.shapes import ActionReply, CloneReply, DescribeReply, InvariantReply, LoginReply, Mode
from hostkit.signing import signed_headers

TIMEOUT_S = 15.0


class HostClient:
    """One host. Every call is one signed request and is never retried here: the caller knows what is safe.

    Raises HostUnreachable (no answer) or HostAnswerError (a refusal, or an answer outside the contract).
    `http` may be handed in, to send through the caller's own gate for outgoing requests.
    """

    def __init__(self, base_url: str, secret: str, *, http: httpx.Client | None = None) -> None:
        if urlsplit(base_url).scheme not in ("http", "https"):
            raise ValueError(f"base_url must be an http(s) address, not {base_url!r}")
        self._base_url = base_url.rstrip("/")
        self._secret = secret
        # A redirect would carry a signed request to somebody the secret wasn't meant for.
        self._http = http or httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)

    def describe(self, user: str) -> DescribeReply:
        return cast(DescribeReply, self._call("describe", {"user": user}))

    def clone(self, user: str | None) -> CloneReply:
        """A copy of one account, or of a fresh generic one for None. `clone_files` decodes its files."""
        return cast(CloneReply, self._call("clone", {"user": user}))

    def login(self, user: str) -> LoginReply:
        return cast(LoginReply, self._call("login", {"user": user}))

    def action(
        self,
        name: str,
        user: str,
        *,
        mode: Mode,
        idempotency_key: str,
        args: Mapping[str, Any] | None = None,
    ) -> ActionReply:
        body = {
            "name": name,
            "user": user,
            "mode": mode,
            "args": dict(args or {}),
            "idempotency_key": idempotency_key,
        }
        return cast(ActionReply, self._call("action", body))

    def invariant(self, name: str, user: str) -> InvariantReply:
        return cast(InvariantReply, self._call("invariant", {"name": name, "user": user}))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> HostClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, op: str, value: Mapping[str, Any]) -> dict[str, Any]:
        path, body = OPS_PREFIX + op, json.dumps(value).encode()
        headers = signed_headers(self._secret, method="POST", path=path, body=body)
        headers["Content-Type"] = "application/json"
        try:
            response = self._http.post(self._base_url + path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise HostUnreachable(f"{op}: {error or type(error).__name__}") from error
        return _result(op, response)


def clone_files(reply: CloneReply) -> dict[str, bytes]:
    """The files of a clone, decoded: file name -> content. Names that are paths are refused."""
    files: dict[str, bytes] = {}
    for name, encoded in reply["files"].items():
        if "/" in name or "\\" in name or name in ("", ".", ".."):
            raise bad_answer(f"{name!r} isn't a plain file name")
        try:
            files[name] = base64.b64decode(encoded, validate=True)
        except ValueError as error:  # binascii.Error is one, and so is text beyond ASCII
            raise bad_answer(f"the file {name!r} isn't base64") from error
    return files


def _result(op: str, response: httpx.Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError as error:
        raise HostAnswerError(response.status_code, "bad_answer", "the answer isn't JSON") from error
    if response.status_code != 200:
        error_part = value.get("error") if isinstance(value, dict) else None
        told = error_part if isinstance(error_part, dict) else {}
        raise HostAnswerError(
            response.status_code, str(told.get("code", "bad_answer")), str(told.get("message", ""))
        )
    ANSWERS[op]("", value)
    return cast(dict[str, Any], value)
