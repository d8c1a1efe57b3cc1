"""What an article has to do with the troubles that we observe: shared words, and the words of a kind."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_WORD = re.compile(r"[a-z][a-z0-9_-]{2,}|[45]\d\d")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STOP = _set(
    """the and for with from that this your you are was were have has had not but can how why what when where
    which who will more about into than then they them their our its been being also after before over under
    out off all any some new now use using used via one two get got just like make made does did doing user
    users page app application nothing happened something wrong shows show please help"""
)

# What people write about when they write about this kind of trouble.
KIND_WORDS: Mapping[str, frozenset[str]] = {
    "SILENT_FAILURE": _set("silent retry retries backoff swallowed unhandled 429 throttling"),
    "ERROR": _set("exception error crash traceback bug regression 500 stack"),
    "SLOW_RESPONSE": _set("slow latency performance timeout cache caching p95 index query"),
    "DATA_INCONSISTENCY": _set("consistency stale cache ledger idempotent transaction race sync"),
    "AUTH_ISSUE": _set("auth authentication login session cookie token expired oauth passkey"),
    "BILLING_ISSUE": _set("billing payment payments webhook webhooks invoice credits checkout"),
    "UX_CONFUSION": _set("usability onboarding accessibility copywriting form feedback ux"),
    "USER_REPORTED": _set("support feedback complaint"),
}
SEVERITY_WEIGHT: Mapping[str, float] = {"P0": 8, "P1": 4, "P2": 2, "P3": 1}


@dataclass(frozen=True)
class Trouble:
    """One observed incident, as far as research needs it."""

    id: str
    title: str
    kind: str
    severity: str
    reports: int
    words: frozenset[str]

    @property
    def weight(self) -> float:
        """Graver and more often seen weighs more; the hundredth report less than the second."""
        return SEVERITY_WEIGHT.get(self.severity, 1) * (1 + math.log1p(self.reports))


@dataclass(frozen=True)
class Relevance:
    """`share` is the part (0..1) of all observed trouble, by weight, that the article bears on."""

    share: float
    troubles: tuple[Trouble, ...] = ()
    words: tuple[str, ...] = ()
    by_word: Mapping[str, int] = field(default_factory=dict)


def words_of(text: str) -> frozenset[str]:
    return frozenset(w for w in _WORD.findall(text.lower()) if w not in _STOP)


def relevance(text: str, troubles: Iterable[Trouble]) -> Relevance:
    """Matches an article with the troubles.

    A trouble counts when two of its words, or one word of its kind and one of its own or two of its kind,
    stand in the article: one shared word is chance.
    """
    known = tuple(troubles)
    article = words_of(text)
    total = sum(trouble.weight for trouble in known)
    if not total:
        return Relevance(0.0)
    hits: list[tuple[Trouble, frozenset[str]]] = []
    for trouble in known:
        shared = article & (trouble.words | KIND_WORDS.get(trouble.kind, frozenset()))
        if len(shared) >= 2:
            hits.append((trouble, shared))
    counted = Counter(word for _, shared in hits for word in shared)
    hits.sort(key=lambda hit: (-hit[0].weight * len(hit[1]), hit[0].id))
    return Relevance(
        share=sum(trouble.weight for trouble, _ in hits) / total,
        troubles=tuple(trouble for trouble, _ in hits),
        words=tuple(word for word, _ in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))),
        by_word=dict(counted),
    )


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's share of common words, 0..1."""
    union = one | other
    return len(one & other) / len(union) if union else 0.0
