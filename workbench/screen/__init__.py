"""Reads what a person would see on a page; judges a repaired screen beside the broken and the healthy one."""

from workbench.screen.facts import Box, Control, Landmark, ScreenFacts, TextRun
from workbench.screen.reader import READ_SCREEN_JS, screen_parse
from workbench.screen.verdict import ScreenVerdict, screen_verdict

__all__ = [
    "READ_SCREEN_JS",
    "Box",
    "Control",
    "Landmark",
    "ScreenFacts",
    "ScreenVerdict",
    "TextRun",
    "screen_parse",
    "screen_verdict",
]
