"""Small words for the console's templates."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import clock

register = template.Library()

TONES = {
    "P0": "bad",
    "P1": "warn",
    "P2": "note",
    "P3": "calm",
    "resolved": "good",
    "settled": "good",
    "deployed": "good",
    "full": "good",
    "passed": "good",
    "allow": "good",
    "approved": "good",
    "ready": "good",
    "escalated": "bad",
    "rolled_back": "bad",
    "gave_up": "bad",
    "failed": "bad",
    "error": "bad",
    "refuse": "bad",
    "awaiting_owner": "warn",
    "needs_input": "warn",
    "held": "warn",
    "inconclusive": "warn",
    "owner": "warn",
    "dismissed": "calm",
    "rejected": "calm",
}


@register.filter
def age(at: datetime | None) -> str:
    """How long ago, in the one unit that matters: 40 s, 12 min, 3 h, 5 d."""
    if at is None:
        return ""
    return duration((clock.now() - at).total_seconds())


@register.filter
def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    seconds = max(0.0, float(seconds))
    for limit, size, unit in ((99, 1, "s"), (5400, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86400)} d"


@register.filter
def words(value: object) -> str:
    """A machine word as people write it: `needs_input` -> `needs input`."""
    return str(value).replace("_", " ").lower()


@register.filter
def tone(value: object) -> str:
    return TONES.get(str(value), "note")


@register.simple_tag
def chip(value: object, label: object = None) -> SafeString:
    """A coloured label for a severity, a phase or a verdict."""
    text = words(value) if label is None else str(label)
    shown = str(value) if str(value) in {"P0", "P1", "P2", "P3"} else text
    return format_html('<span class="k-chip k-{}">{}</span>', tone(value), shown)
