"""The Manager's Console."""
