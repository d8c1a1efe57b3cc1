"""Who is in the console, and what was done there."""

from console.models.audit import AuditEntry, AuditHead
from console.models.sessions import OwnerSession

__all__ = ["AuditEntry", "AuditHead", "OwnerSession"]
