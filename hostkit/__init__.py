"""hostkit connects a Python web application to KripTik Ops (the contract: docs/host-contract.md)."""

from hostkit.errors import HostKitError, UnknownUser
from hostkit.identity import forget, identity_token, remember
from hostkit.kit import HostKit
from hostkit.nonces import MemoryNonceStore, SqliteNonceStore
from hostkit.shapes import ActionCall, ActionResult, Clone, Cookie, Description, Invariant, Request

__all__ = [
    "ActionCall",
    "ActionResult",
    "Clone",
    "Cookie",
    "Description",
    "HostKit",
    "HostKitError",
    "Invariant",
    "MemoryNonceStore",
    "Request",
    "SqliteNonceStore",
    "UnknownUser",
    "forget",
    "identity_token",
    "remember",
]
