"""`manage.py heal INCIDENT`: heals by hand, in this process, with a line per phase. Needs no broker."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import KriptikError
from healing.models import HealRun, RunTransition
from healing.phases import TERMINAL, Phase
from healing.runner import advance, bury_dead
from healing.services import run_open
from incidents.models import Incident
from incidents.phases import Status

PAUSE_S = 0.2  # between two looks at a run that another worker holds
HEALED, NOT_HEALED, WAITING = 0, 3, 4

WORDS = {
    Phase.QUEUED: "collecting the evidence",
    Phase.TRIAGING: "asking the pattern library",
    Phase.DIAGNOSING: "looking for the cause",
    Phase.NEEDS_INPUT: "waiting for the user's answer",
    Phase.REMEDIATING: "applying the runbook",
    Phase.REPRODUCING: "reproducing it on a copy of the account",
    Phase.REPAIRING: "looking for a code fix",
    Phase.VERIFYING: "proving the fix",
    Phase.AWAITING_OWNER: "waiting for your decision",
    Phase.ROLLING_OUT: "rolling out",
    Phase.SETTLED: "healed",
    Phase.ROLLED_BACK: "taken back",
    Phase.REJECTED: "rejected",
    Phase.GAVE_UP: "not healed; it lies before the owner",
}


class Command(BaseCommand):
    help = (
        "Heals one incident by hand and shows each phase. Exit 0 healed, 3 not healed, 4 waits for a person."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "incident", nargs="?", help="The incident's id (inc_...); without it, the open ones."
        )
        parser.add_argument("--json", action="store_true", help="One JSON object at the end, nothing else.")
        parser.add_argument(
            "--no-wait", action="store_true", help="Stop at a rollout instead of following it to its end."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["incident"]:
            self._list_open()
            return
        try:
            run = run_open(options["incident"])
        except KriptikError as error:
            raise CommandError(error.message, returncode=2) from error
        show = _Display(self, quiet=options["json"])
        try:
            run = self._follow(run, show, stop_at_rollout=options["no_wait"])
        except KeyboardInterrupt:
            # The lease runs out by itself and the sweep goes on from the stored phase: nothing is lost.
            self.stderr.write(f"\nStopped looking. Run {run.pk} is safe; a worker goes on where it stands.")
            raise SystemExit(130) from None
        if options["json"]:
            self.stdout.write(json.dumps(_facts(run), indent=2, default=str))
        raise SystemExit(_exit_code(run))

    def _follow(self, run: HealRun, show: "_Display", *, stop_at_rollout: bool) -> HealRun:
        show.begin(run)
        while True:
            wait = self._advance(run)
            run.refresh_from_db()
            show.news(run)
            if _is_over(run) or run.state.is_waiting or (stop_at_rollout and run.state == Phase.ROLLING_OUT):
                return run
            if wait is None or wait > 0:
                time.sleep(min(wait or PAUSE_S, 5))

    def _advance(self, run: HealRun) -> float | None:
        try:
            return advance(run.pk)
        except Exception as error:
            # It is stored with the run and counted as an attempt; five of them end it.
            self.stderr.write(f"  a step failed: {type(error).__name__}: {error}")
            return 0.0
        finally:
            bury_dead(run.pk)

    def _list_open(self) -> None:
        closed = [s for s in Status if s.is_settled and s != Status.ESCALATED]
        rows = Incident.objects.exclude(status__in=closed).order_by("severity", "-last_seen")[:30]
        for row in rows:
            self.stdout.write(f"{row.pk}  {row.severity}  {row.status:<15} {row.title}")
        if not rows:
            self.stdout.write("No open incident.")


class _Display:
    """One line for each phase: when it began, how long the one before took, and why."""

    def __init__(self, command: BaseCommand, *, quiet: bool) -> None:
        self.command, self.quiet = command, quiet
        self.started = time.monotonic()
        self.seen = 0
        self.last_error = ""

    def begin(self, run: HealRun) -> None:
        incident = run.incident
        self._line(
            f"{run.pk} heals {incident.pk if incident else '-'}: {incident.title if incident else run.brief}"
        )
        for row in run.transitions.all():
            self._transition(row, "earlier")
        self._line(f"{'0.0 s':>8}  {run.phase:<15} {WORDS[run.state]}")

    def news(self, run: HealRun) -> None:
        for row in run.transitions.all()[self.seen :]:
            self._transition(row, f"{time.monotonic() - self.started:.1f} s")
        if run.last_error and run.last_error != self.last_error:
            self._line(f"{'':>8}  {'':<15} will try again: {run.last_error}")
        self.last_error = run.last_error

    def _transition(self, row: RunTransition, when: str) -> None:
        self.seen += 1
        self._line(f"{when:>8}  {row.to_phase:<15} {WORDS[Phase(row.to_phase)]}: {row.reason}")

    def _line(self, text: str) -> None:
        if not self.quiet:
            self.command.stdout.write(text)


def _is_over(run: HealRun) -> bool:
    return run.state in TERMINAL and run.learned_at is not None


def _exit_code(run: HealRun) -> int:
    if run.state == Phase.SETTLED:
        return HEALED
    waits = run.state.is_waiting or run.state == Phase.ROLLING_OUT
    return WAITING if waits else NOT_HEALED


def _facts(run: HealRun) -> dict[str, Any]:
    fix = run.fix
    return {
        "run": run.pk,
        "incident": run.incident_id,
        "phase": run.phase,
        "outcome": run.outcome,
        "root_cause": run.diagnosis.get("root_cause"),
        "confidence": run.diagnosis.get("confidence"),
        "remedy": run.remedy,
        "tried": run.tried,
        "fix": fix.pk if fix else None,
        "diff": fix.diff if fix else None,
        "rollout": run.rollout or None,
        "history": [
            {"from": t.from_phase, "to": t.to_phase, "reason": t.reason, "at": t.at}
            for t in run.transitions.all()
        ],
    }
