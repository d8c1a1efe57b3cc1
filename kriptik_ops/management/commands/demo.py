"""`manage.py demo`: the product with Forge as its host. `make demo` calls it."""

import io
import os
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from core.errors import KriptikError
from kriptik_ops import demo, preflight, running


class Command(BaseCommand):
    help = "Runs the whole product on this machine with Forge, the demo host. Ctrl-C ends every process."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        os.environ.setdefault("KRIPTIK_ROLLOUT_CLOCK", demo.CLOCK)
        settings.ROLLOUT_CLOCK = float(os.environ["KRIPTIK_ROLLOUT_CLOCK"])
        try:
            with preflight.only_one(settings.VAR_DIR):
                running.prepare(demo.PORTS)
                demo.prepare()
                # Now, not once all is up: whatever becomes of this start, they are never shown again.
                self.stdout.write(self._owner())
                self.stdout.flush()
                running.run(demo.programs(), self.stdout.write, self._ready)
        except KriptikError as error:
            raise CommandError(error.message) from error

    def _owner(self) -> str:
        """The owner's credentials as text on the first run; afterwards only who the owner is."""
        existing = User.objects.filter(is_staff=True).first()
        if existing:
            return (
                f"Owner               {existing.get_username()} (credentials were shown at the first start)"
            )
        out = io.StringIO()
        call_command("owner_create", demo.OWNER_EMAIL, stdout=out)
        return out.getvalue()

    def _ready(self) -> None:
        self.stdout.write(
            f"\nForge               http://127.0.0.1:{settings.GATEWAY_PORT}\n"
            f"Manager's Console   {settings.PUBLIC_URL}/console/\n"
            "Next: make demo-run in another terminal. Ctrl-C stops everything.\n"
        )
        self.stdout.flush()
