"""`manage.py demo_run`: the three stories against the running demo. `make demo-run` calls it."""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import KriptikError, Permanent
from incidents.models import Host
from kriptik_ops import demo, preflight
from kriptik_ops.stories.forge import ROLLED_BACK, STORIES, Services
from kriptik_ops.stories.process import DemoProcess
from kriptik_ops.stories.telling import Teller
from kriptik_ops.stories.timeline import Timeline

ALL = (*STORIES, ROLLED_BACK)


class Command(BaseCommand):
    help = (
        "Drives Forge as three users in headless Chromium, prints what happened and writes "
        "var/demo/timeline.json. Starts a demo when none runs. Exit 1 when one is not healed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=[story.scenario for story in ALL], help="tell this story alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with contextlib.ExitStack() as stack:
                if not preflight.is_running(settings.VAR_DIR):
                    stack.enter_context(self._started_demo())
                timelines = self._tell(options["only"])
        except KriptikError as error:
            raise CommandError(error.message) from error
        path = demo.places().root / "timeline.json"
        path.write_text(json.dumps([t.as_json() for t in timelines], indent=1) + "\n")
        self.stdout.write(f"\nThe timelines are in {path}")
        expected = {story.scenario: story.expects for story in ALL}
        wrong = [t.scenario for t in timelines if t.outcome != expected[t.scenario]]
        if wrong:
            raise CommandError(f"Not healed: {', '.join(wrong)}.")

    def _tell(self, only: str | None) -> list[Timeline]:
        host = Host.objects.filter(slug=demo.SLUG).first()
        if host is None:
            raise Permanent("What runs here is no demo: there is no host called forge. Start `make demo`.")
        teller = Teller(host, Services(f"http://127.0.0.1:{demo.MODEL_PORT}"), self.stdout.write)
        teller.healthy_neighbour()
        timelines = []
        for story in [story for story in ALL if story.scenario == only] or STORIES:
            timelines.append(teller.tell(story))
            self.stdout.write("")
            for line in timelines[-1].lines():
                self.stdout.write(line)
            self.stdout.flush()
        return timelines

    @contextlib.contextmanager
    def _started_demo(self) -> Iterator[None]:
        """Runs `manage.py demo` for the time of the stories."""
        self.stdout.write("No demo is running; starting one ...")
        process = DemoProcess(os.environ)
        try:
            self.stdout.write(process.start())
            yield
        finally:
            process.stop()
