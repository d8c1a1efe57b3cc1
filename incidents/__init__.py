"""Hosts, sessions, reports and incidents: what went wrong, for whom."""
