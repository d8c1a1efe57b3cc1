"""`manage.py up`: the product on one machine, for real hosts."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.errors import KriptikError
from kriptik_ops import preflight, running


class Command(BaseCommand):
    help = "Starts everything on this machine and runs until Ctrl-C. Add hosts with `manage.py host_add`."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with preflight.only_one(settings.VAR_DIR):
                running.prepare()
                running.run([], self.stdout.write, self._ready)
        except KriptikError as error:
            raise CommandError(error.message) from error

    def _ready(self) -> None:
        self.stdout.write(
            f"\nManager's Console   {settings.PUBLIC_URL}/console/\n"
            f"Gateway             http://127.0.0.1:{settings.GATEWAY_PORT}\n"
            "No owner yet? Run: manage.py owner_create --email YOU@EXAMPLE\n"
            "Ctrl-C stops everything."
        )
