"""Locator candidates of a recorded element: kept in Playwright's order of preference, the useless ones
left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from workbench.scenario.model import MAX_CANDIDATES, Locator

ORDER = ("testid", "role", "placeholder", "label", "text", "css")
# Playwright reads these prefixes as another selector engine; the SDK writes plain CSS, so anything else
# is refused.
_OTHER_ENGINE = re.compile(
    r"^\s*([a-z_:-]+\s*=|//|\.\.)|>>|:has-text|:text|:nth-match|_react|_vue", re.IGNORECASE
)
# Ids that frameworks make up on each render: found today, gone in the next build.
_GENERATED_CSS = re.compile(r"#[a-z-]*:?r[0-9a-z]+:?|\b(css|sc|jss|emotion)-[0-9a-z]{4,}", re.IGNORECASE)


def locator_candidates(recorded: Iterable[Locator]) -> tuple[Locator, ...]:
    """At most eight candidates, best kind first, without doubles and without CSS that is no plain CSS."""
    kept: list[Locator] = []
    for locator in recorded:
        if locator in kept or (locator.by == "css" and _OTHER_ENGINE.search(locator.value or "")):
            continue
        kept.append(locator)
    ranked = sorted(kept, key=lambda each: (ORDER.index(each.by), _generated(each)))
    return tuple(ranked[:MAX_CANDIDATES])


def _generated(locator: Locator) -> bool:
    return locator.by == "css" and bool(_GENERATED_CSS.search(locator.value or ""))


def common_to_all(groups: Iterable[Iterable[Locator]]) -> tuple[Locator, ...]:
    """The locators that every group has, in the order of the first."""
    listed = [list(group) for group in groups]
    if not listed:
        return ()
    shared = [one for one in listed[0] if all(one in other for other in listed[1:])]
    return tuple(dict.fromkeys(shared))[:MAX_CANDIDATES]
