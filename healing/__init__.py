"""Diagnosis, remedies, verification and learning."""
