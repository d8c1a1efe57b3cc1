"""The demo: Forge as the host, in a git repository and a data folder of its own under var/demo."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from core.errors import Permanent
from incidents.models import Host
from incidents.services import host_add
from kriptik_ops.supervisor import Program

SLUG = "forge"
MODEL_PORT: int = settings.DEMO_MODEL_PORT
PAYMENTS_PORT: int = settings.DEMO_PAYMENTS_PORT
OWNER_EMAIL = "owner@forge.example"
EXAMPLE = settings.BASE_DIR / "examples" / "forge"
# Minutes of rollout become seconds; the phases and their judgement stay what they are.
CLOCK = "0.02"

PORTS = {
    "Forge's model provider": ("KRIPTIK_DEMO_MODEL_PORT", MODEL_PORT),
    "Forge's payment provider": ("KRIPTIK_DEMO_PAYMENTS_PORT", PAYMENTS_PORT),
}


@dataclass(frozen=True)
class Places:
    """Where the demo lives."""

    root: Path

    @property
    def repository(self) -> Path:
        return self.root / "forge"

    @property
    def data(self) -> Path:
        return self.root / "data"


def places() -> Places:
    return Places(settings.VAR_DIR / "demo")


def prepare() -> Host:
    """Makes the repository, the users and the host row; does nothing for what is there already."""
    where = places()
    if not (where.repository / ".git").exists():
        _make_repository(where.repository)
    if not where.data.exists():
        where.data.mkdir(parents=True)
        _python(["-m", "forge.seed", "--data", str(where.data)], cwd=where.repository)
    found = Host.objects.filter(slug=SLUG).first()
    if found:
        return found
    return host_add(
        name="Forge",
        slug=SLUG,
        base_url=f"http://127.0.0.1:{settings.GATEWAY_PORT}",
        origins=[f"http://127.0.0.1:{settings.GATEWAY_PORT}", f"http://localhost:{settings.GATEWAY_PORT}"],
        git_dir=str(where.repository / ".git"),
        manifest_toml=(where.repository / "kriptik.toml").read_text(),
        data_dir=str(where.data),
        environment={
            "FORGE_MODEL_URL": f"http://127.0.0.1:{MODEL_PORT}",
            "FORGE_PAYMENTS_URL": f"http://127.0.0.1:{PAYMENTS_PORT}",
            "FORGE_PUBLIC_URL": f"http://127.0.0.1:{settings.GATEWAY_PORT}",
            "PYTHONPATH": str(settings.BASE_DIR),  # where hostkit is; a real host installs it
        },
    )


def programs() -> list[Program]:
    """Forge's two outside services."""
    repository = str(places().repository)
    env = {"PYTHONPATH": f"{repository}:{settings.BASE_DIR}"}

    def service(module: str, port: int) -> list[str]:
        return [sys.executable, "-m", module, "--port", str(port)]

    return [
        Program("forge-model", service("forge_services.model", MODEL_PORT), env, priority=5),
        Program("forge-payments", service("forge_services.payments", PAYMENTS_PORT), env, priority=5),
    ]


def _make_repository(repository: Path) -> None:
    partial = repository.with_name(repository.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(EXAMPLE, partial, ignore=shutil.ignore_patterns("__pycache__", "var", ".pytest_cache"))
    who = ["-c", "user.name=Forge", "-c", "user.email=dev@forge.example"]
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*who, "commit", "--quiet", "--message", "Forge as it ships"],
    ):
        done = subprocess.run(["git", *arguments], cwd=partial, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Permanent(f"git {arguments[0]} failed for the demo's repository: {done.stderr.strip()}")
    partial.rename(repository)


def _python(arguments: list[str], cwd: Path) -> None:
    env = {**os.environ, "PYTHONPATH": f"{cwd}:{settings.BASE_DIR}"}
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        raise Permanent(f"`python {' '.join(arguments)}` failed: {done.stderr.strip()[-500:]}")
