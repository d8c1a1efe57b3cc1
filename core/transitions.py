"""State machines as data, and the one way to move along them.

A move is a compare-and-swap update plus a history row in one transaction: two workers that want the same
move can't both make it, and the history can't miss one. The history rows are the timeline, the audit and
the outbox.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from core import clock


class IllegalMove(Exception):
    """The code asked for a move that the machine's table does not have: a bug, never a race."""


@dataclass(frozen=True)
class Machine:
    """A state machine: `moves` maps each phase to the phases that may follow it."""

    name: str
    moves: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        unknown = {to for targets in self.moves.values() for to in targets} - set(self.moves)
        if unknown:
            raise ValueError(f"{self.name}: phases without a row in the table: {sorted(unknown)}")

    def allows(self, from_phase: str, to_phase: str) -> bool:
        return to_phase in self.moves.get(from_phase, frozenset())

    def is_terminal(self, phase: str) -> bool:
        return not self.moves[phase]

    def edges(self) -> set[tuple[str, str]]:
        return {(a, b) for a, targets in self.moves.items() for b in targets}


def machine(name: str, moves: Mapping[str, Iterable[str]]) -> Machine:
    """A machine from a readable table."""
    return Machine(name, {str(k): frozenset(str(t) for t in v) for k, v in moves.items()})


class Transition(models.Model):
    """One line of history; a subclass adds the foreign key `subject`. `actor` "system" is us."""

    from_phase = models.CharField(max_length=32)
    to_phase = models.CharField(max_length=32)
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=120, default="system")
    detail = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        abstract = True
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.from_phase} -> {self.to_phase}: {self.reason}"


def move(
    model: type[models.Model],
    pk: Any,
    table: Machine,
    *,
    history: type[Transition],
    from_: str | Iterable[str],
    to: str,
    reason: str,
    actor: str = "system",
    detail: Mapping[str, Any] | None = None,
    field: str = "phase",
    extra: Mapping[str, Any] | None = None,
    where: Mapping[str, Any] | None = None,
) -> bool:
    """Moves row `pk` from one of `from_` to `to` and writes the history line, or does neither.

    Returns True when this call made the move, False when somebody was faster (the row is in none of
    `from_`, or `where` no longer holds). `extra` are fields written in the same update. Raises IllegalMove
    when the table forbids the move.
    """
    sources = [from_] if isinstance(from_, str) else list(from_)
    for source in sources:
        if not table.allows(source, to):
            raise IllegalMove(f"{table.name}: {source} -> {to} is not in the table")
    with transaction.atomic():
        for source in sources:
            rows = model._default_manager.filter(pk=pk, **{field: source}, **(where or {}))
            if rows.update(**{field: to}, **(extra or {})) == 1:
                line = history(
                    from_phase=source,
                    to_phase=to,
                    reason=reason[:500],
                    actor=actor,
                    detail=dict(detail or {}),
                )
                line.subject_id = pk  # type: ignore[attr-defined]  # the subclass's foreign key
                line.save(force_insert=True)
                return True
    return False
