"""What the model answers: a whole page of HTML, composed from layouts. No scripts inside."""

import hashlib
import html
import re
from pathlib import Path
from string import Template
from typing import Any

LAYOUTS = Path(__file__).with_name("layouts")
# layout -> words that ask for it; the layout with the most hits wins, the first on a tie.
KEYWORDS = {
    "list": ("todo", "to-do", "task", "list", "habit", "tracker", "checklist", "shopping", "plan", "routine"),
    "dashboard": (
        "dashboard",
        "sales",
        "chart",
        "report",
        "analytics",
        "crm",
        "metrics",
        "finance",
        "budget",
    ),
    "gallery": (
        "recipe",
        "portfolio",
        "gallery",
        "photo",
        "shop",
        "store",
        "menu",
        "collection",
        "blog",
        "box",
    ),
    "landing": ("landing", "page", "website", "site", "startup", "bakery", "agency", "event", "product"),
}
# accent, deep, tint: chosen by the description, so the same words always give the same page.
PALETTES = (
    ("#0f766e", "#134e4a", "#ecfdf5"),
    ("#7c3aed", "#4c1d95", "#f5f3ff"),
    ("#c2410c", "#7c2d12", "#fff7ed"),
    ("#1d4ed8", "#1e3a8a", "#eff6ff"),
    ("#be185d", "#831843", "#fdf2f8"),
    ("#4d7c0f", "#365314", "#f7fee7"),
)
WORDS = {
    "list": ("Morning warm-up", "Write three lines", "Call a friend", "Drink two litres", "Read ten pages"),
    "dashboard": ("Revenue", "Orders", "New customers", "Returning"),
    "gallery": ("Golden hour", "Slow Sunday", "Green garden", "City lights", "Wild herbs", "First frost"),
    "landing": ("Made with care", "Ready in minutes", "Close to you"),
}
_STOP = {"a", "an", "the", "for", "with", "and", "of", "to", "that", "me", "my", "our", "please", "in", "on"}
# The description goes on after these: "a reading list for our book circle" is a reading list.
_TAIL = re.compile(r"\b(?:for|with|that|which|about|where|so)\b", re.IGNORECASE)
_ASK = {"make", "build", "create", "generate", "design", "want", "need", "i", "app", "application"}


def compose(prompt: str) -> dict[str, Any]:
    """{"title", "layout", "steps": [{"title", "detail"}], "html"}; equal prompts give equal answers."""
    prompt = " ".join(prompt.split())
    layout, title = _layout(prompt), _title(prompt)
    digest = hashlib.sha256(prompt.lower().encode()).digest()
    accent, deep, tint = PALETTES[digest[0] % len(PALETTES)]
    values = {
        "title": html.escape(title),
        "prompt": html.escape(prompt[:160]),
        "accent": accent,
        "deep": deep,
        "tint": tint,
        "items": _items(layout, digest),
    }
    page = Template((LAYOUTS / f"{layout}.html").read_text()).substitute(values)
    return {"title": title, "layout": layout, "steps": _steps(layout, title), "html": page}


def _layout(prompt: str) -> str:
    words = prompt.lower()
    hits = {name: sum(word in words for word in wanted) for name, wanted in KEYWORDS.items()}
    best = max(hits, key=lambda name: hits[name])
    return best if hits[best] else "landing"


def _title(prompt: str) -> str:
    head = _TAIL.split(prompt, maxsplit=1)[0]
    words = [word for word in re.findall(r"[\w'-]+", head) if word.lower() not in _STOP | _ASK]
    return " ".join(word[:1].upper() + word[1:] for word in words[:3])[:60] or "Your App"


def _steps(layout: str, title: str) -> list[dict[str, str]]:
    what = {"list": "a living list", "dashboard": "a dashboard", "gallery": "a gallery", "landing": "a page"}
    return [
        {"title": "Reading your description", "detail": f"You would like {what[layout]}."},
        {"title": "Planning the screens", "detail": f"{title}: one screen, four parts."},
        {"title": "Choosing colours and type", "detail": "Contrast checked for small text."},
        {"title": "Writing the components", "detail": "Semantic HTML, styles inlined."},
        {"title": "Checking the result", "detail": "Fits a phone and a desk."},
    ]


def _items(layout: str, digest: bytes) -> str:
    make = {"list": _task, "dashboard": _metric, "gallery": _card, "landing": _feature}[layout]
    return "\n".join(make(number, word, digest[number + 1]) for number, word in enumerate(WORDS[layout]))


def _task(number: int, word: str, seed: int) -> str:
    checked = " checked" if seed % 3 == 0 else ""
    return f'<label><input type="checkbox"{checked}><span>{word}</span><em>day {seed % 30 + 1}</em></label>'


def _metric(number: int, word: str, seed: int) -> str:
    bars = "".join(f'<i style="height:{20 + (seed * (step + 3)) % 75}%"></i>' for step in range(7))
    return f"<section><h3>{word}</h3><b>{seed * 37 % 900 + 100}</b><div>{bars}</div></section>"


def _card(number: int, word: str, seed: int) -> str:
    hue = f"--turn:{seed}deg"
    return f'<article style="{hue}"><div></div><h3>{word}</h3><p>{seed % 40 + 10} minutes</p></article>'


def _feature(number: int, word: str, seed: int) -> str:
    said = "Simple, quick, and yours from the first day."
    return f"<section><b>{number + 1}</b><h3>{word}</h3><p>{said}</p></section>"
