"""The small shared base: it knows no app."""
