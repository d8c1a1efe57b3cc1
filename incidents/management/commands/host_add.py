"""manage.py host_add: makes a host known and prints its keys, once."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from incidents.models import Autonomy, Host
from incidents.services import host_add
from incidents.services.hosts import BadHost


class Command(BaseCommand):
    help = "Adds a host (an application that Ops protects) and prints its key, secret and DSN, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="what people call it")
        parser.add_argument("--slug", required=True, help="lower-case short name, the `aud` of identities")
        parser.add_argument("--base-url", required=True, help="where Ops reaches it")
        parser.add_argument(
            "--origin", action="append", default=[], help="a site that loads the SDK (repeat)"
        )
        parser.add_argument("--git-dir", type=Path, help="its repository on this machine")
        parser.add_argument("--branch", default="main")
        parser.add_argument("--data-dir", type=Path, help="the folder with its data")
        parser.add_argument("--env", action="append", default=[], help="NAME=VALUE of its processes (repeat)")
        parser.add_argument("--manifest", type=Path, help="its kriptik.toml; what it says is accepted")
        parser.add_argument("--autonomy", choices=Autonomy.values, help="default: the manifest's")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: Any) -> None:
        try:
            host = host_add(
                name=options["name"],
                slug=options["slug"],
                base_url=options["base_url"],
                origins=options["origin"],
                git_dir=_folder(options["git_dir"], "--git-dir"),
                branch=options["branch"],
                data_dir=_folder(options["data_dir"], "--data-dir"),
                environment=dict(_pair(text) for text in options["env"]),
                manifest_toml=_manifest(options["manifest"]),
                autonomy=options["autonomy"],
            )
        except BadHost as error:
            raise CommandError(error.message) from error
        self._print(host, options["json"])

    def _print(self, host: Host, as_json: bool) -> None:
        known = {
            "id": host.pk,
            "slug": host.slug,
            "key": host.public_key,
            "secret": host.secret,
            "dsn": host.dsn(settings.PUBLIC_URL),
        }
        if as_json:
            self.stdout.write(json.dumps(known))
            return
        self.stdout.write(f"{host.name} is known now. Its environment (the secret is shown this once):")
        self.stdout.write(f"  KRIPTIK_URL={settings.PUBLIC_URL}\n  KRIPTIK_HOST={host.slug}")
        self.stdout.write(f"  KRIPTIK_KEY={host.public_key}\n  KRIPTIK_SECRET={host.secret}")
        self.stdout.write(f"  SENTRY_DSN={known['dsn']}")


def _folder(path: Path | None, option: str) -> str:
    if path is None:
        return ""
    if not path.is_dir():
        raise CommandError(f"{option} {path} is not a folder.")
    return str(path.resolve())


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name.isidentifier():
        raise CommandError(f"--env {text!r} should be NAME=VALUE.")
    return name, value


def _manifest(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--manifest {path} can't be read: {error}") from error
