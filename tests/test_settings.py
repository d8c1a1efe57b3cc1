"""docs/settings.md and the code name the same variables, and a bad value is a clear error."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READ = re.compile(r"""(?:env_\w+|environ\.get|environ\.setdefault|environ)[(\[]\s*"([A-Z][A-Z_]+)\"""")
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "PATH", "HOME"}
PACKAGES = ["core", "notifications", "incidents", "flags", "healing", "research", "console", "kriptik_ops"]


def test_the_page_and_the_code_name_the_same_variables():
    read = {
        name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in READ.findall(path.read_text())
    } - NOT_OURS
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.M))
    assert read == documented


def start(**env: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("KRIPTIK")}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**clean, "DJANGO_SETTINGS_MODULE": "kriptik_ops.settings", **env},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "env, said",
    [
        ({"KRIPTIK_DEBUG": "perhaps"}, "KRIPTIK_DEBUG must be true or false, not 'perhaps'"),
        ({"KRIPTIK_PORT": "http"}, "KRIPTIK_PORT must be a number, not 'http'"),
        (
            {"KRIPTIK_SECRET_KEY_FILE": "/nowhere"},
            "KRIPTIK_SECRET_KEY_FILE names /nowhere, which can't be read",
        ),
        ({"KRIPTIK_SECRET_KEY": "x", "KRIPTIK_ROLLOUT_CLOCK": "0"}, "kriptik.E002"),
        ({"KRIPTIK_SECRET_KEY": "x", "KRIPTIK_SANDBOX": "none"}, "kriptik.E003"),
        ({"KRIPTIK_SECRET_KEY": "x", "KRIPTIK_GATEWAY": "hope"}, "kriptik.E004"),
        ({"KRIPTIK_VAR": "/nonexistent-var"}, "kriptik.E001"),
        (
            {
                "KRIPTIK_SECRET_KEY": "x",
                "KRIPTIK_URL": "https://ops.example",
                "KRIPTIK_ROLLOUT_CLOCK": "0.5",
            },
            "kriptik.W001",
        ),
    ],
)
def test_a_value_that_makes_no_sense_is_said_at_start(env, said):
    done = start(**env)
    assert said in done.stdout + done.stderr
