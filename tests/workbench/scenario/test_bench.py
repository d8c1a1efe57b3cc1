"""The bench on a real host, a real browser and a real sandbox: what base and fix do, and what counts as neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workbench.scenario.tiny_host import UPSTREAM, generate_report, healthy_outcome, tiny_tree
from workbench.sandbox import Sandbox, SandboxUnavailable, sandbox_open
from workbench.scenario.bench import (
    AccountFiles,
    Arm,
    BenchRefused,
    HostSpec,
    ServiceSpec,
    scenario_run,
)
from workbench.scenario.compile import scenario_compile
from workbench.scenario.fisher import fisher_p
from workbench.scenario.model import Scenario

HOST = HostSpec(
    start="python app.py {port}",
    health="/healthz",
    data_env="TINY_DATA",
    services={"model": ServiceSpec(env="TINY_MODEL_URL", start="python model.py {port}")},
)
ACCOUNT = AccountFiles(user="alice", files={"apps.json": b"[]"})


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    try:
        return sandbox_open()
    except SandboxUnavailable as problem:
        pytest.fail(f"these tests need the sandbox: {problem}")


@pytest.fixture
def scenario() -> Scenario:
    return scenario_compile(generate_report(), outcomes=[healthy_outcome()], upstream=UPSTREAM)


@pytest.mark.sandbox
@pytest.mark.browser
def test_base_fails_and_the_fix_passes_in_every_run(
    tmp_path: Path, sandbox: Sandbox, scenario: Scenario
) -> None:
    base = tiny_tree(tmp_path / "base")
    fixed = tiny_tree(tmp_path / "fixed", attempts=4)
    beats = []
    result = scenario_run(
        sandbox,
        scenario,
        arms=[Arm("base", base, ACCOUNT, 5), Arm("fix", fixed, ACCOUNT, 5)],
        host=HOST,
        heartbeat=lambda: beats.append(1),
    )

    base_arm, fix_arm = result.arm("base"), result.arm("fix")
    assert [run.verdict for run in base_arm.runs] == ["failed"] * 5, [run.reason for run in base_arm.runs]
    # app-1 appears only in a fresh account: five times means that no run saw what another had built.
    assert [run.verdict for run in fix_arm.runs] == ["passed"] * 5, [run.reason for run in fix_arm.runs]
    assert "POST /api/generate answered 502" in base_arm.runs[0].reason
    assert any("generate failed" in line for line in base_arm.runs[0].server_errors)
    assert fix_arm.runs[0].server_errors == []
    screen = fix_arm.runs[0].screen
    assert screen is not None and "Studio of alice" in screen.text and "An app: A bcde fgh" in screen.text
    assert (fix_arm.runs[0].screenshot or b"").startswith(b"\xff\xd8\xff")
    assert fisher_p(base_arm.count("failed"), 5, fix_arm.count("failed"), 5) < 0.01
    assert beats
