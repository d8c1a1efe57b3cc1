"""L0 lookup and L4 lessons: finds, makes, credits and demotes patterns."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from core import clock
from healing import limits
from healing.evidence import Evidence, evidence_load
from healing.models import HealRun, Pattern, PatternState
from healing.patterns.matcher import features_of, score

DEMOTED_FACTOR = 0.8  # with the threshold of 0.75 only a near-exact case still matches


@dataclass(frozen=True)
class Hit:
    pattern: Pattern
    score: float
    why: tuple[str, ...]


def pattern_lookup(run: HealRun, evidence: Evidence) -> tuple[Hit | None, float]:
    """The best pattern at or above the threshold, or None; and the best score seen."""
    features = features_of(evidence)
    best: Hit | None = None
    rows = Pattern.objects.filter(host_id=run.host_id, matcher__kind=evidence.kind)
    for pattern in rows.exclude(state=PatternState.RETIRED).order_by("created_at", "pk"):
        found = score(pattern.matcher, features)
        value = found.value * (DEMOTED_FACTOR if pattern.state == PatternState.DEMOTED else 1.0)
        if best is None or value > best.score:
            best = Hit(pattern, value, found.why)
    if best is None:
        return None, 0.0
    return (best if best.score >= limits.PATTERN_MIN_SCORE else None), best.score


def pattern_extract(
    run: HealRun, remedy: Mapping[str, Any], evidence: Mapping[str, Any], title: str
) -> Pattern:
    """The lesson of a run that healed: one row per lesson, however often it is learned."""
    matcher = features_of(evidence_load(run.evidence))
    key = _key(matcher, remedy)
    pattern, _ = Pattern.objects.get_or_create(
        host_id=run.host_id,
        key=key,
        defaults={
            "title": title[:200],
            "matcher": matcher,
            "remedy": dict(remedy),
            "evidence": dict(evidence),
        },
    )
    return pattern


def pattern_used(pattern_id: str, *, success: bool) -> None:
    """Counts one use and how it ended."""
    column = "successes" if success else "failures"
    Pattern.objects.filter(pk=pattern_id).update(
        uses=F("uses") + 1, updated_at=clock.now(), **{column: F(column) + 1}
    )


def pattern_demote(pattern_id: str, reason: str) -> None:
    """A rollback or a comeback speaks against the lesson; the second time it is retired, unless pinned."""
    with transaction.atomic():
        pattern = Pattern.objects.select_for_update().get(pk=pattern_id)
        pattern.demotions += 1
        if pattern.demotions >= limits.PATTERN_RETIRE_AFTER and not pattern.pinned:
            pattern.state = PatternState.RETIRED
        elif pattern.state == PatternState.ACTIVE:
            pattern.state = PatternState.DEMOTED
        log = [
            *pattern.evidence.get("demotions", []),
            {"at": clock.now().isoformat(), "reason": reason[:300]},
        ]
        pattern.evidence = {**pattern.evidence, "demotions": log[-10:]}
        pattern.updated_at = clock.now()
        pattern.save(update_fields=["demotions", "state", "evidence", "updated_at"])


def _key(matcher: Mapping[str, Any], remedy: Mapping[str, Any]) -> str:
    text = json.dumps([matcher, remedy], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
