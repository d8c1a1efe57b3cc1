"""What may not appear in added text, in any language. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

MAX_STRING = 200
COPY_CHARS = 24  # so much of a visitor's text in code is a copy, not a coincidence
_HIDDEN = re.compile(
    "[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RULES: Sequence[tuple[str, re.Pattern[str]]] = (
    (
        "a web address",
        re.compile(r"\b(?:https?|wss?|ftp|file|data|javascript|gopher)\s*:\s*(?://|[a-z]+[/,;])", re.I),
    ),
    ("a protocol-relative address", re.compile(r"""["'`]//[a-z0-9]""", re.I)),
    ("an IP address", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")),
    ("a long base64 or hex run", re.compile(r"[A-Za-z0-9+/=_-]{41,}")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*KEY", re.I)),
    ("a secret", re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abp]|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,}")),
    (
        "certificate checks turned off",
        re.compile(r"verify\s*[=:]\s*false|check_hostname|rejectUnauthorized|CERT_NONE", re.I),
    ),
    (
        "a protection turned off",
        re.compile(
            r"csrf_exempt|csrf\s*[=:]\s*false|autoescape\s*[=:]?\s*(?:false|off)|mark_safe|\|\s*safe\b|Markup\(",
            re.I,
        ),
    ),
    ("an open cross-origin rule", re.compile(r"access-control-allow|cors\w*.{0,20}\*", re.I)),
    ("debug mode", re.compile(r"\bdebug\s*[=:]\s*true", re.I)),
    (
        "a switch for linters or coverage",
        re.compile(r"#\s*(?:noqa|nosec|type:\s*ignore|pragma)|eslint-disable|@ts-(?:ignore|nocheck)", re.I),
    ),
    ("an instruction to an agent", re.compile(r"ignore (?:all |any )?(?:previous|prior) instructions", re.I)),
)
# Scanned in languages that we have no parser for; Python is judged on its syntax tree instead.
_SCRIPT_RULES: Sequence[tuple[str, re.Pattern[str]]] = (
    ("an import", re.compile(r"\bimport\b|\brequire\s*\(|\bimportScripts\b|@import", re.I)),
    (
        "code from text",
        re.compile(
            r"\beval\b|\bFunction\b|\bconstructor\b|\bsetTimeout\s*\(\s*[\"'`]|\bsetInterval\s*\(\s*[\"'`]"
        ),
    ),
    (
        "a network call",
        re.compile(
            r"\bfetch\b|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\baxios\b|\$\.(?:ajax|get|post)|RTCPeer",
            re.I,
        ),
    ),
    (
        "raw HTML",
        re.compile(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|srcdoc|v-html",
            re.I,
        ),
    ),
    (
        "an element that loads",
        re.compile(
            r"<\s*(?:script|iframe|object|embed|link|meta|base|form|img|svg|style)\b|createElement|\bon[a-z]+\s*=\s*[\"']",
            re.I,
        ),
    ),
    (
        "the browser's stores",
        re.compile(r"document\s*\.\s*cookie|localStorage|sessionStorage|indexedDB|\bcaches\b", re.I),
    ),
    ("leaving the page", re.compile(r"\blocation\b|window\s*\.\s*open|postMessage|history\s*\.", re.I)),
    (
        "the prototype",
        re.compile(r"__proto__|\bprototype\b|Object\s*\.\s*(?:assign|defineProperty|setPrototypeOf)"),
    ),
    ("a computed member", re.compile(r"\b(?:window|globalThis|self|document|top|parent)\s*\[")),
    ("a process", re.compile(r"child_process|\bprocess\b|\bDeno\b|\bBun\b|\bexecSync\b|\bspawn\b")),
    (
        "a template that runs",
        re.compile(r"\{%\s*(?:load|include|extends|import|autoescape|debug)|\{\{.*(?:__|\|\s*safe)"),
    ),
    ("a loaded style", re.compile(r"url\s*\(|expression\s*\(|behavior\s*:", re.I)),
)


def added_lines(old: str, new: str) -> list[str]:
    """Lines that the new text has more often than the old one, without their indentation: moving a block
    into a loop adds nothing.
    """
    had = Counter(line.strip() for line in old.splitlines())
    return _surplus([line.strip() for line in new.splitlines()], had)


def removed_lines(old: str, new: str) -> list[str]:
    return added_lines(new, old)


def text_problems(added: Sequence[str]) -> Iterator[str]:
    """Every reason against this added text, whatever its language."""
    text = "\n".join(added)
    if _HIDDEN.search(text) or _CONTROL.search(text):
        yield "an invisible or direction-changing character is added"
    for what, pattern in _RULES:
        if pattern.search(text):
            yield f"{what} is added"
    for literal in re.findall(r"\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`", text):
        if len(literal) > MAX_STRING + 2:
            yield f"a string longer than {MAX_STRING} characters is added"
        elif len(literal) > 34 and entropy(literal[1:-1]) > 4.5:
            yield "a string that looks random is added"


def script_problems(added: Sequence[str]) -> Iterator[str]:
    """Further reasons where no parser of ours understands the language."""
    text = "\n".join(added)
    for what, pattern in _SCRIPT_RULES:
        if pattern.search(text):
            yield f"{what} is added"


def copied(added: Sequence[str], old: str, visitors: Sequence[str]) -> bool:
    """Whether visitors' own words were copied into the code."""
    text = " ".join(added)
    for words in visitors:
        for start in range(len(words) - COPY_CHARS + 1):
            window = words[start : start + COPY_CHARS]
            if window in text and window not in old:
                return True
    return False


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) if text else 0.0


def _surplus(lines: Sequence[str], had: Counter[str]) -> list[str]:
    left, out = Counter(had), []
    for line in lines:
        if left[line] > 0:
            left[line] -= 1
        elif line:
            out.append(line)
    return out
