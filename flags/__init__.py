"""Flags, releases and rollouts: who runs which build of the host."""
