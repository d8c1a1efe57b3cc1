"""docs/settings.md and the code name the same variables, and a bad value is a clear error."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kriptik_ops.stories.process import fresh_environment

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
        ({"KRIPTIK_PORT": "8600.9"}, "KRIPTIK_PORT must be a whole number, not '8600.9'"),
        ({"KRIPTIK_DEMO_MODEL_PORT": "abc"}, "KRIPTIK_DEMO_MODEL_PORT must be a whole number"),
        ({"KRIPTIK_ROLLOUT_CLOCK": "nan"}, "KRIPTIK_ROLLOUT_CLOCK must be a number, not 'nan'"),
        ({"DATABASE_URL": "what"}, "DATABASE_URL can't be read"),
        ({"KRIPTIK_SECRET_KEY": "x", "KRIPTIK_OWNER_TIME_ZONE": "Nope/X"}, "kriptik.E005"),
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
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"KRIPTIK_VAR": "/dev/null/var"}, "/dev/null/var can't be written"),
        ({"KRIPTIK_PORT": "99999"}, "KRIPTIK_PORT is 99999; a port is a number up to 65535"),
        ({"KRIPTIK_OWNER_TIME_ZONE": "Nope/X"}, "KRIPTIK_OWNER_TIME_ZONE is 'Nope/X'. Write a name"),
        ({"KRIPTIK_SANDBOX": "none"}, "without a sandbox no untrusted fix is run"),
    ],
)
@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_start_that_can_not_succeed_is_refused_in_one_line(tmp_path, command, env, said):
    done = subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=fresh_environment(tmp_path) | env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
