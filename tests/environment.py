"""Loaded by pytest before Django's settings are read (`-p tests.environment` in pyproject.toml).

Gives each test process a var/ folder and a broker of its own: an embedded Valkey, or, when REDIS_URL is
set, a database number of that server.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
WORKER_NUMBER = int(WORKER.removeprefix("gw")) + 1 if WORKER.startswith("gw") else 0


def start_valkey(var: Path) -> int:
    from kriptik_ops.embedded import valkey_command
    from kriptik_ops.stories.process import free_port

    port = free_port()
    process = subprocess.Popen(valkey_command(var / "valkey", port), stdout=subprocess.DEVNULL)
    atexit.register(process.kill)
    return port


if "KRIPTIK_TEST_VAR" not in os.environ or WORKER != "main":
    var = Path(tempfile.mkdtemp(prefix=f"kriptik-test-{WORKER}-"))
    atexit.register(shutil.rmtree, var, True)
    os.environ["KRIPTIK_TEST_VAR"] = os.environ["KRIPTIK_VAR"] = str(var)
    os.environ["DJANGO_SETTINGS_MODULE"] = "kriptik_ops.settings_test"
    shared = os.environ.get("KRIPTIK_TEST_REDIS") or os.environ.get("REDIS_URL")
    if shared:
        os.environ["KRIPTIK_TEST_REDIS"] = shared
        os.environ["REDIS_URL"] = f"{shared.rsplit('/', 1)[0]}/{WORKER_NUMBER}"
    else:
        os.environ["KRIPTIK_VALKEY_PORT"] = str(start_valkey(var))
