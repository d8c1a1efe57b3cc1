"""The bench on the demo host: its Generate button, as it is and with the retry that it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from workbench.sandbox import sandbox_open
from workbench.scenario.bench import AccountFiles, Arm, HostSpec, ServiceSpec, scenario_run
from workbench.scenario.compile import scenario_compile

ROOT = Path(__file__).resolve().parents[3]
FORGE = ROOT / "examples" / "forge"
CLONE = """
import sys, tempfile
from pathlib import Path
from forge.db import create
from forge.support.clone import account_clone
database = Path(tempfile.mkdtemp()) / "forge.db"
create(database)
clone = account_clone(database, None)
Path(sys.argv[1]).write_bytes(clone.files["forge.db"])
print(clone.user)
"""
GENERATE = {
    "tag": "button",
    "role": "button",
    "name": "Generate",
    "fingerprint": "button[testid=generate]",
    "locators": [
        {"by": "testid", "value": "generate"},
        {"by": "role", "role": "button", "name": "Generate"},
        {"by": "text", "value": "Generate"},
    ],
}
PROMPT = {
    "tag": "textarea",
    "role": "textbox",
    "name": "Describe your app",
    "fingerprint": "textarea[testid=prompt]",
    "locators": [
        {"by": "testid", "value": "prompt"},
        {"by": "role", "role": "textbox", "name": "Describe your app"},
    ],
}
FAILED = {"method": "POST", "path": "/api/generate", "status": 502}


def forge_host() -> HostSpec:
    manifest = tomllib.loads((FORGE / "kriptik.toml").read_text())
    host = manifest["host"]
    services = {
        name: ServiceSpec(env=service["env"], start=service["start"])
        for name, service in manifest["services"].items()
    }
    return HostSpec(
        start=host["start"],
        health=host["health"],
        data_env=host["data_env"],
        services=services,
        setup=host["setup"],
    )


def generic_account(place: Path) -> AccountFiles:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CLONE, str(place)]
    user = subprocess.run(command, cwd=FORGE, env=env, check=True, capture_output=True, text=True).stdout
    return AccountFiles(user.strip(), {"forge.db": place.read_bytes()})


def with_retry(tree: Path) -> Path:
    provider = tree / "forge" / "studio" / "provider.py"
    text = provider.read_text()
    call = text[text.index("    response = requests.post(") : text.index("    response.raise_for_status()")]
    retried = "    for _ in range(5):\n" + "".join(f"    {line}\n" for line in call.splitlines())
    retried += "        if response.status_code != 429:\n            break\n        time.sleep(1)\n"
    provider.write_text(
        text.replace(call, retried).replace("import requests", "import time\n\nimport requests")
    )
    return tree


def generate_report() -> dict[str, object]:
    actions = [
        {"id": "a1", "kind": "navigate", "at": 1, "url": "/studio", "element": None, "after": {}},
        {"id": "a2", "kind": "fill", "url": "/studio", "element": PROMPT, "shape": "A aaaaa aaa"},
        {"id": "a3", "kind": "click", "url": "/studio", "element": GENERATE, "after": {"requests": [FAILED]}},
    ]
    return {
        "kind": "SILENT_FAILURE",
        "action_id": "a3",
        "page": "http://forge.test/studio",
        "route": "/studio",
        "element": GENERATE,
        "reasons": ["request_failed", "error_not_shown"],
        "requests": [{**FAILED, "action_id": "a3", "ms": 20, "at": 5}],
        "actions": actions,
        "viewport": {"w": 1280, "h": 720},
        "locale": "en-US",
    }


HEALTHY = {
    "route": "/studio",
    "element": GENERATE,
    "ms": 600,
    "requests": [{"method": "POST", "path": "/api/generate", "status": 201}],
    "navigated": None,
    "appeared": [{"by": "testid", "value": "build-steps"}, {"by": "testid", "value": "preview"}],
}
UPSTREAM = [{"service": "model", "method": "POST", "path": "/v1/generate", "status": 429, "retry_after": "1"}]


@pytest.mark.sandbox
@pytest.mark.browser
def test_generate_fails_as_it_is_and_works_with_a_retry(tmp_path: Path) -> None:
    trees = [tmp_path / name for name in ("base", "fix")]
    for tree in trees:
        shutil.copytree(FORGE, tree, ignore=shutil.ignore_patterns("__pycache__", "data"))
    account = generic_account(tmp_path / "forge.db")
    scenario = scenario_compile(generate_report(), outcomes=[HEALTHY], upstream=UPSTREAM)
    result = scenario_run(
        sandbox_open(),
        scenario,
        arms=[Arm("base", trees[0], account, 2), Arm("fix", with_retry(trees[1]), account, 2)],
        host=forge_host(),
    )

    base, fix = (result.arm(name).runs for name in ("base", "fix"))
    assert [run.verdict for run in base] == ["failed"] * 2, base[0]
    assert [run.verdict for run in fix] == ["passed"] * 2, fix[0]
    assert any("HTTPError: 429" in line for line in base[0].server_errors)
    assert fix[0].server_errors == []
