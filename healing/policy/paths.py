"""Which paths a fix may touch. Pure; an unreadable path is a refused path."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

# Never changed by a machine, whatever a manifest says. Matched without case, against every part of a path.
# From the lists of the tools that let agents write (git hooks, CI, lock files, agent settings) and our own.
FORBIDDEN_PARTS = (
    ".*",
    "dockerfile*",
    "*compose*.y*ml",
    "makefile",
    "*.lock",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "pyproject.toml",
    "poetry.toml",
    "requirements*",
    "constraints*",
    "setup.*",
    "tox.ini",
    "pytest.ini",
    "noxfile*",
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
    "settings*",
    "*login*",
    "*payment*",
    "*billing*",
    "*crypto*",
    "*secret*",
    "*password*",
    "*permission*",
    "*session*",
    "migrations",
    "*.pem",
    "*.key",
    "codeowners",
    "agents.md",
    "claude.md",
    "gemini.md",
    "kriptik.toml",
    "*kriptik*",
    "hostkit",
    "node_modules",
    "vendor",
    "jenkinsfile",
    "procfile",
)
# "author" is no credential.
_AUTH = re.compile(r"auth(?!or)")
_TEST_PARTS = ("tests", "test", "__tests__", "spec", "e2e")
_TEST_FILES = ("test_*", "*_test.*", "*.test.*", "*.spec.*")


def glob_matches(pattern: str, path: str) -> bool:
    """`**` any folders, `*` and `?` inside one part."""
    return _glob(pattern).fullmatch(path) is not None


def is_test(path: str) -> bool:
    parts = path.casefold().split("/")
    return any(p in _TEST_PARTS for p in parts[:-1]) or any(fnmatchcase(parts[-1], t) for t in _TEST_FILES)


def path_problems(path: str, editable: Sequence[str], protected: Sequence[str]) -> Iterator[str]:
    """Every reason why this path may not be changed."""
    if not isinstance(path, str) or not path:
        yield "a change without a path"
        return
    yield from _form_problems(path)
    folded = path.casefold()
    for part in folded.split("/"):
        hit = next((p for p in FORBIDDEN_PARTS if fnmatchcase(part, p)), None)
        if hit or _AUTH.search(part):
            yield f"{path!r} is protected for every host ({hit or '*auth*'})"
            break
    if is_test(path):
        yield f"{path!r} is a test: tests judge a fix, a fix doesn't touch them"
    if not any(glob_matches(p, path) for p in editable):
        yield f"{path!r} is outside of what the manifest lets us edit"
    if hit := next((p for p in protected if glob_matches(p.casefold(), folded)), None):
        yield f"{path!r} is protected by the manifest ({hit})"


def _form_problems(path: str) -> Iterator[str]:
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
        yield f"{path!r} is not a plain path inside the repository"
    if "\\" in path or any(unicodedata.category(c)[0] == "C" for c in path):
        yield f"{path!r} has a backslash or an invisible character"
    if unicodedata.normalize("NFC", path) != path:
        yield f"{path!r} is not in normal form"


@lru_cache(maxsize=512)
def _glob(pattern: str) -> re.Pattern[str]:
    out, i = "", 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out, i = out + "(?:.*/)?", i + 3
        elif pattern.startswith("**", i):
            out, i = out + ".*", i + 2
        elif pattern[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif pattern[i] == "?":
            out, i = out + "[^/]", i + 1
        else:
            out, i = out + re.escape(pattern[i]), i + 1
    return re.compile(out, re.S)
