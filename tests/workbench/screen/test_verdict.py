"""The local verifier of the visual verdict: which repaired screens nobody would accept."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.screen import ScreenFacts, screen_parse, screen_verdict

BOX = {"x": 0, "y": 0, "w": 100, "h": 20}
CONTROLS = ("Generate", "Credits", "Account", "Log out")


def screen(*texts: str, controls: tuple[str, ...] = CONTROLS, **facts: Any) -> ScreenFacts:
    return ScreenFacts.model_validate(
        {
            "path": "/studio",
            "width": 1280,
            "height": 720,
            "content_width": 1280,
            "texts": [{"text": text, "box": BOX} for text in texts],
            "controls": [{"role": "button", "name": name, "box": BOX} for name in controls],
            "landmarks": [{"role": role, "box": BOX} for role in ("main", "navigation")],
            **facts,
        }
    )


BASE = screen("Studio")
HEALTHY = screen("Studio", "Bakery", controls=(*CONTROLS, "Open preview"))
FIXED = screen("Studio", "Running club", controls=(*CONTROLS, "Open preview"))


@pytest.mark.parametrize(
    ("base", "fix", "healthy", "verdict", "words"),
    [
        (BASE, FIXED, HEALTHY, "passed", "what the healthy one offers"),
        (BASE, FIXED, None, "passed", "no blank screen"),
        (BASE, BASE, None, "inconclusive", "the same as the broken one"),
        (None, FIXED, None, "inconclusive", "no other screen"),
        (BASE, None, HEALTHY, "error", "could not be read"),
        (BASE, screen(controls=(), landmarks=[]), HEALTHY, "failed", "blank"),
        (BASE, screen("Internal Server Error"), None, "failed", "Internal Server Error"),
        (BASE, screen("You have NaN credits"), HEALTHY, "failed", "NaN"),
        (screen("Try again later"), screen("Try again later", "x"), None, "inconclusive", "as the broken"),
        (BASE, screen("Try again later"), screen("Try again later"), "passed", "healthy"),
        (BASE, screen("x", landmarks=[]), HEALTHY, "failed", "the main landmark is gone"),
        (BASE, screen("x", path="/app", landmarks=[]), HEALTHY, "failed", "the main landmark is gone"),
        (BASE, screen("x", controls=("Credits",)), HEALTHY, "failed", "only 1 of 5 controls"),
        (BASE, screen("x", content_width=1500), HEALTHY, "failed", "wider than the screen"),
    ],
)
def test_the_verdict(base: Any, fix: Any, healthy: Any, verdict: str, words: str) -> None:
    found = screen_verdict(base, fix, healthy)
    assert found.verdict == verdict, found
    assert any(words in reason for reason in found.reasons), found


@pytest.mark.parametrize("raw", [None, "x", {"texts": "x"}, {"texts": [{}] * 500}, {"media": -1}, {"y": 1}])
def test_what_is_no_screen_is_not_taken_for_one(raw: object) -> None:
    assert screen_parse(raw) is None
