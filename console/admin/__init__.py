"""What the owner can look at, row by row."""

from console.admin import access, flags, healing, hosts, incidents, notifications, research

__all__ = ["access", "flags", "healing", "hosts", "incidents", "notifications", "research"]
