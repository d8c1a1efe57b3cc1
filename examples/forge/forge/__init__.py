"""Forge: describe an app, watch it being built, preview it."""
