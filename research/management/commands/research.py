"""`manage.py research`: today's research, by hand."""

from typing import Any

from django.core.management.base import BaseCommand

from research.models import RunState
from research.services import research_run


class Command(BaseCommand):
    help = "Reads the feeds of KRIPTIK_RESEARCH_FEEDS and makes today's proposals (once a day)."

    def handle(self, *args: Any, **options: Any) -> None:
        run = research_run()
        if run.state == RunState.RUNNING:
            self.stdout.write(f"{run}: another worker is on it.")
            return
        self.stdout.write(f"{run}: {run.note}")
        for url, result in run.sources.items():
            outcome = f"{result['new']} new" if result["ok"] else f"FAILED: {result['error']}"
            self.stdout.write(f"  {url}  {outcome}")
        for proposal in run.proposals.order_by("-score"):
            self.stdout.write(f"  {proposal.score:5.1f}  {proposal.title}")
