"""Takes a release, or everything, back at once. Needs the database and the gateway; no broker, no worker."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import KriptikError
from flags.selectors import kill_switch_on
from flags.services import kill_all, kill_lift, release_kill


class Command(BaseCommand):
    help = (
        "Takes everyone off a candidate release and proves it; `all` also stops everything new "
        "until `kill all --lift`."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("release", help="a release's id (rel_...), or all")
        parser.add_argument("--reason", default="killed on the command line")
        parser.add_argument("--lift", action="store_true", help="end the emergency that `kill all` began")

    def handle(self, *args: Any, **options: Any) -> None:
        release, reason = options["release"], options["reason"]
        actor = f"operator {getpass.getuser()}"
        if options["lift"]:
            self._lift(release, actor)
            return
        try:
            if release == "all":
                proofs = kill_all(reason=reason, actor=actor)
                self.stdout.write("The kill switch is on: nothing new starts until `kill all --lift`.")
            else:
                proofs = {release: release_kill(release, reason=reason, actor=actor)}
        except KriptikError as error:
            raise CommandError(error.message) from error
        for name, proof in proofs.items():
            self._report(name, proof)
        if not all(proof["proved"] for proof in proofs.values()):
            raise CommandError("Not everything could be proved; the lines above say what.")

    def _lift(self, release: str, actor: str) -> None:
        if release != "all":
            raise CommandError("Only `kill all` can be lifted; a killed release stays so.")
        if not kill_lift(actor=actor):
            raise CommandError("The kill switch is not on.")
        assert not kill_switch_on()
        self.stdout.write("The kill switch is off.")

    def _report(self, release: str, proof: dict[str, Any]) -> None:
        self.stdout.write(f"{release}: {'gone' if proof['proved'] else 'NOT PROVED'} in {proof['ms']} ms")
        for step in proof["steps"]:
            facts = {k: v for k, v in step.items() if k not in {"step", "ok", "ms"}}
            told = ", ".join(f"{k}: {v}" for k, v in facts.items())
            mark = "ok" if step["ok"] else "FAILED"
            self.stdout.write(f"  {step['step']:<7} {mark:<6} {step['ms']:>9.2f} ms  {told}".rstrip())
