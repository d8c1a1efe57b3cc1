"""The console's own pages, each registered on the owner's site."""

from console.pages import act, bell, incident, replay, sudo

__all__ = ["act", "bell", "incident", "replay", "sudo"]
