"""The script that reads a live page (or a recording rebuilt as DOM) and the parser of its answer."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from workbench.screen.facts import ScreenFacts

READ_SCREEN_JS = Path(__file__).with_name("read_screen.js").read_text()


def screen_parse(raw: object) -> ScreenFacts | None:
    """The facts from what the script returned; None when a page gave back anything else."""
    try:
        return ScreenFacts.model_validate(raw)
    except ValidationError:
        return None
