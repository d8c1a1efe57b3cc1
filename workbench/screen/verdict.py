"""Does the repaired screen look right? Rules that need no model: the local verifier of the visual verdict."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from workbench.screen.facts import ScreenFacts

Verdict = Literal["passed", "failed", "error", "inconclusive"]

_ERROR_WORDS = re.compile(
    r"internal server error|application error|unexpected error|something went wrong"
    r"|traceback \(most recent|bad gateway|service unavailable|gateway time-?out|page not found"
    r"|\b(404|500|502|503|504)\b (not found|error)|cannot read propert|is not a function"
    r"|\bNaN\b|\[object Object\]|\bundefined\b|failed to (load|fetch|generate)"
    r"|could not be (loaded|completed)|try again later",
    re.IGNORECASE,
)
# A fix may move things and hide some; half of what a person could use before is more than that.
_CONTROLS_KEPT = 0.5
_OVERFLOW_PX = 24


@dataclass(frozen=True)
class ScreenVerdict:
    """`reasons` name what was seen, worst first; they may hold the page's own words."""

    verdict: Verdict
    reasons: tuple[str, ...]


def screen_verdict(
    base: ScreenFacts | None, fix: ScreenFacts | None, healthy: ScreenFacts | None = None
) -> ScreenVerdict:
    """Judge the screen after the scenario on the fix, beside base (broken) and another user's healthy one.

    passed: nothing wrong and something visible differs from base; failed: a screen that no one would accept;
    inconclusive: same as base, base's error words still there, or nothing to compare with; error: the fix's
    screen could not be read.
    """
    if fix is None:
        return ScreenVerdict("error", ("the fixed screen could not be read",))
    wrong = _wrong(base, fix, healthy)
    if wrong:
        return ScreenVerdict("failed", tuple(wrong))
    if base is None and healthy is None:
        return ScreenVerdict("inconclusive", ("there is no other screen to compare with",))
    if healthy is not None and _same_offer(fix, healthy):
        return ScreenVerdict("passed", ("the screen offers what the healthy one offers",))
    if base is not None and fix.signature() == base.signature():
        return ScreenVerdict("inconclusive", ("the fixed screen reads the same as the broken one",))
    if healthy is None and _error_words(fix):
        words = _error_words(fix)[0]
        return ScreenVerdict("inconclusive", (f"the screen says {words!r}, as the broken one did",))
    return ScreenVerdict("passed", ("no blank screen, error words, lost landmark or lost controls",))


def _wrong(base: ScreenFacts | None, fix: ScreenFacts, healthy: ScreenFacts | None) -> list[str]:
    if fix.blank:
        return ["the screen is blank"]
    model = healthy or base
    reasons = [f"the screen says {words!r}" for words in _new_error_words(fix, model)]
    if model is None:
        return reasons
    reasons += [f"the {role} landmark is gone" for role in _lost_landmarks(model, fix)]
    lost = _lost_controls(model, fix)
    if lost:
        reasons.append(lost)
    if fix.content_width > fix.width + _OVERFLOW_PX and model.content_width <= model.width + _OVERFLOW_PX:
        reasons.append("the content is wider than the screen")
    return reasons


def _new_error_words(fix: ScreenFacts, known: ScreenFacts | None) -> list[str]:
    """Error words that the other screen does not have; a help page may speak of errors in good health."""
    usual = {words.lower() for words in _error_words(known)} if known else set()
    return [words for words in _error_words(fix) if words.lower() not in usual][:5]


def _error_words(screen: ScreenFacts) -> list[str]:
    return list(dict.fromkeys(match.group(0) for match in _ERROR_WORDS.finditer(screen.text)))


def _lost_landmarks(model: ScreenFacts, fix: ScreenFacts) -> list[str]:
    if model.path != fix.path:
        # Another page has its own navigation; the main content it must have all the same.
        wanted = {"main"} & {each.role for each in model.landmarks}
    else:
        wanted = {
            each.role for each in model.landmarks if each.role not in ("dialog", "alertdialog", "region")
        }
    return sorted(wanted - {each.role for each in fix.landmarks})


def _lost_controls(model: ScreenFacts, fix: ScreenFacts) -> str | None:
    if model.path != fix.path or not model.controls:
        return None
    wanted = Counter((each.role, each.name) for each in model.controls)
    kept = sum((wanted & Counter((each.role, each.name) for each in fix.controls)).values())
    if kept >= _CONTROLS_KEPT * wanted.total():
        return None
    return f"only {kept} of {wanted.total()} controls are left"


def _same_offer(fix: ScreenFacts, healthy: ScreenFacts) -> bool:
    """Same landmarks and controls; the words differ from user to user."""
    return (
        fix.path == healthy.path
        and {each.role for each in fix.landmarks} == {each.role for each in healthy.landmarks}
        and {(each.role, each.name) for each in fix.controls}
        == {(each.role, each.name) for each in healthy.controls}
    )
