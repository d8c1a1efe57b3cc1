"""What the owner can look at, row by row."""

from console.admin import access

__all__ = ["access"]
