"""Clones of accounts, as the bench takes them. Kept as the host sent them: base64 by file name."""

from typing import Any

from healing.errors import StepPostponed
from healing.host_access import host_client, refused_for_good
from healing.models import HealRun
from hostkit.client import clone_files
from hostkit.errors import HostAnswerError, HostUnreachable
from workbench.scenario.bench import AccountFiles


class NoClone(Exception):
    """The host gives no copy of this account, for good."""


def account_clone(run: HealRun, user: str | None) -> dict[str, Any]:
    """{"user", "files"}; None: a generic account. Raises NoClone, or StepPostponed if trying again helps."""
    try:
        with host_client(run.host) as client:
            reply = client.clone(user)
            clone_files(reply)  # what can't be decoded is found now, not inside of the bench
    except HostUnreachable as error:
        raise StepPostponed(f"the host did not answer the clone: {error}") from error
    except HostAnswerError as error:
        if refused_for_good(error) or error.status == 200:
            raise NoClone(f"the host gives no copy of the account: {error.code}") from error
        raise StepPostponed(f"the host could not clone the account: {error}") from error
    return {"user": reply["user"], "files": dict(reply["files"])}


def account_files(stored: dict[str, Any]) -> AccountFiles:
    return AccountFiles(stored["user"], clone_files({"user": stored["user"], "files": stored["files"]}))
