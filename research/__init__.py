"""Researched improvement proposals."""
