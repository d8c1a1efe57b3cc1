"""What is visible on one screen, as values: bounded, because the page that they come from is not trusted."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(max_length=300)]
Word = Annotated[str, StringConstraints(max_length=80)]
# Layout far outside of any screen is clamped by the reader; this is the wall behind it.
Pixels = Annotated[int, Field(ge=-100_000, le=1_000_000)]


def digits_masked(text: str) -> str:
    return re.sub(r"\d+", "#", text)


class Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Box(Facts):
    """CSS pixels, relative to the viewport's upper left corner."""

    x: Pixels
    y: Pixels
    w: Pixels
    h: Pixels


class TextRun(Facts):
    text: Text
    box: Box


class Landmark(Facts):
    role: Word
    name: Word = ""
    box: Box


class Control(Facts):
    role: Word
    name: Word = ""
    enabled: bool = True
    state: Word = ""
    box: Box


class ScreenFacts(Facts):
    """One screen. `texts`, `controls` and `landmarks` are visible ones in document order, also below the
    fold.
    """

    path: Annotated[str, StringConstraints(max_length=2000)] = "/"
    title: Text = ""
    width: Pixels = 0
    height: Pixels = 0
    content_width: Pixels = 0
    texts: Annotated[tuple[TextRun, ...], Field(max_length=400)] = ()
    controls: Annotated[tuple[Control, ...], Field(max_length=200)] = ()
    landmarks: Annotated[tuple[Landmark, ...], Field(max_length=50)] = ()
    alerts: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    media: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @property
    def text(self) -> str:
        return "\n".join(run.text for run in self.texts)

    @property
    def blank(self) -> bool:
        """Nothing to read, to use or to look at."""
        return not self.texts and not self.controls and self.media == 0

    def signature(self, ticking: frozenset[str] = frozenset()) -> tuple[object, ...]:
        """Equal for two screens that say and offer the same; positions left out, animations move things.

        `ticking`: texts, digits as `#`, that change by themselves (clocks, countdowns) and so say nothing.
        """
        texts = ((run.text, digits_masked(run.text)) for run in self.texts)
        return (
            self.path,
            tuple(masked if masked in ticking else text for text, masked in texts),
            tuple((each.role, each.name, each.enabled, each.state) for each in self.controls),
            self.alerts,
            self.media,
        )
