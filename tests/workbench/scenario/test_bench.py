"""The bench with a real host, browser and sandbox: what base and fix do, and what counts as neither."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workbench.scenario.tiny_host import (
    GENERATE,
    PROMPT,
    UPSTREAM,
    generate_report,
    healthy_outcome,
    tiny_tree,
)
from workbench.sandbox import Result, Sandbox, SandboxUnavailable, sandbox_open
from workbench.scenario import bench
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
from workbench.scenario.seals import fingerprint, sealed

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


@pytest.mark.sandbox
@pytest.mark.browser
def test_neither_failing_nor_working_is_an_error(tmp_path: Path, sandbox: Sandbox) -> None:
    """A "fix" that only hides the failure, and a host that does not come up, in one bench of two arms."""
    scenario = scenario_compile(
        generate_report(reasons=["request_failed"]),
        outcomes=[healthy_outcome(requests=[])],
        upstream=UPSTREAM,
    )
    hides = tiny_tree(tmp_path / "hides", on_failure=200)
    crashes = tiny_tree(tmp_path / "crashes", crash=True)
    result = scenario_run(
        sandbox,
        scenario,
        arms=[Arm("hides", hides, ACCOUNT, 1), Arm("crashes", crashes, ACCOUNT, 2)],
        host=HOST,
    )

    (hidden,) = result.arm("hides").runs
    assert hidden.verdict == "error"
    assert "testid 'app-1' appears" in hidden.reason
    assert [run.verdict for run in result.arm("crashes").runs] == ["error"] * 2
    assert "the host ended with code 1" in result.arm("crashes").runs[0].reason
    assert "no such table: apps" in result.arm("crashes").runs[0].reason


@pytest.mark.sandbox
@pytest.mark.browser
def test_a_hostile_recording_is_played_as_text_and_ends_as_an_error(tmp_path: Path, sandbox: Sandbox) -> None:
    """Quotes, selectors and shell words in locators and values; nothing of it runs, nothing of it passes."""
    evil = "\"'; $(touch /work/pwned) `id` >> [onclick] \\ </script><img src=x onerror=alert(1)>"
    button = {**GENERATE, "locators": [{"by": "role", "role": "button", "name": evil}]}
    prompt = {**PROMPT, "locators": [{"by": "text", "value": evil}, *PROMPT["locators"]]}
    fill, click = generate_report()["actions"][1], generate_report()["actions"][3]
    actions = [
        {"id": "a1", "kind": "navigate", "url": "/studio?x='%3Cscript%3E"},
        {**fill, "element": prompt, "value": evil},
        {**click, "element": button},
    ]
    scenario = scenario_compile(generate_report(actions=actions, element=button), upstream=UPSTREAM)
    base = tiny_tree(tmp_path / "base")
    result = scenario_run(sandbox, scenario, arms=[Arm("base", base, ACCOUNT, 1)], host=HOST)

    (run,) = result.arms[0].runs
    assert run.verdict == "error"
    assert run.reason.startswith("step 2 (click button"), run.reason
    assert "no locator matches exactly one visible element" in run.reason
    assert run.screen is not None
    assert any(evil[:20] in each.state for each in run.screen.controls)


@pytest.mark.sandbox
def test_a_setup_that_fails_is_an_error_of_every_run(
    tmp_path: Path, sandbox: Sandbox, scenario: Scenario
) -> None:
    tree = tiny_tree(tmp_path / "base")
    (tree / "setup.py").write_text("import os, sys; sys.exit('no wheel for ' + os.getcwd())")
    host = replace(HOST, setup="python setup.py '; touch pwned'")
    result = scenario_run(sandbox, scenario, arms=[Arm("base", tree, ACCOUNT, 2)], host=host)
    assert [run.verdict for run in result.arms[0].runs] == ["error"] * 2
    assert result.arms[0].runs[0].reason.endswith("ended with code 1: no wheel for /work/tree")


@pytest.mark.parametrize(
    "name", ["../outside.db", "/etc/cron.d/x", "a/../../b", "a//b", "", ".", "nul\x00", "back\\slash"]
)
def test_an_account_file_that_leads_elsewhere_is_refused(
    tmp_path: Path, scenario: Scenario, name: str
) -> None:
    arm = Arm("base", tiny_tree(tmp_path / "base"), AccountFiles("alice", {name: b""}), 1)
    with pytest.raises(BenchRefused, match="no plain relative path"):
        scenario_run(NoSandbox(), scenario, arms=[arm], host=HOST)


def test_what_the_bench_cannot_do_is_refused_before_anything_runs(tmp_path: Path, scenario: Scenario) -> None:
    arm = Arm("base", tiny_tree(tmp_path / "base"), ACCOUNT, 1)
    many = AccountFiles("alice", {f"f{number}": b"" for number in range(1001)})
    refused = [
        ([], HOST, "at least one arm"),
        ([replace(arm, runs=0)], HOST, "0 runs"),
        ([replace(arm, runs=101)], HOST, "101 runs"),
        ([replace(arm, tree=tmp_path / "gone")], HOST, "is no directory"),
        ([replace(arm, account=many)], HOST, "1001 files"),
        ([arm], replace(HOST, services={}), "plays faults of model"),
        ([arm], replace(HOST, data_env="A B"), "no name of an environment variable"),
    ]
    for arms, host, words in refused:
        with pytest.raises(BenchRefused, match=words):
            scenario_run(NoSandbox(), scenario, arms=arms, host=host)


def test_a_missing_browser_is_named_with_its_remedy(
    tmp_path: Path, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "CHROMIUM", str(tmp_path / "chromium"))
    arm = Arm("base", tiny_tree(tmp_path / "base"), ACCOUNT, 1)
    with pytest.raises(BenchRefused, match="apt-get install chromium"):
        scenario_run(NoSandbox(), scenario, arms=[arm], host=HOST)


class ScriptedSandbox:
    """Stands where the sandbox stands and leaves behind what hostile code could leave behind."""

    def __init__(self, leave: Callable[[Path, Callable[[str], str]], object]) -> None:
        self._leave = leave

    def run(self, argv: Sequence[str], *, workdir: Path, **_: object) -> Result:
        key = json.loads((workdir / "spec.json").read_text())["seal"]
        self._leave(workdir / "out", lambda text: sealed(key, 0, text.encode()).decode())
        return Result(exit_code=1, stdout="", stderr="Killed\n", timed_out=False, seconds=0.1)


class NoSandbox:
    def run(self, *_: object, **__: object) -> Result:
        raise AssertionError("nothing must run")


PASSED = '{"verdict":"passed","reason":"ok","seconds":1}'


@pytest.mark.parametrize(
    "leave",
    [
        lambda out, seal: None,
        lambda out, seal: (out / "run-000.json").write_text(PASSED),
        lambda out, seal: (out / "run-000.json").write_text(f"{'0' * 64}\n{PASSED}"),
        lambda out, seal: (out / "run-000.json").write_text(sealed("other", 0, PASSED.encode()).decode()),
        lambda out, seal: (out / "run-000.json").write_text(seal(PASSED)[:-1] + " }"),
        lambda out, seal: (out / "run-000.json").write_text(seal('{"verdict":"splendid"}')),
        lambda out, seal: (out / "run-000.json").write_text(seal(PASSED[:-1] + ',"extra":1}')),
        lambda out, seal: (out / "run-000.json").write_text(seal(PASSED + " " * 2_000_000)),
        lambda out, seal: os.mkfifo(out / "run-000.json"),
        lambda out, seal: (out / "run-000.json").mkdir(),
        lambda out, seal: [(out / "x").write_text(seal(PASSED)), (out / "run-000.json").symlink_to("x")],
        lambda out, seal: [
            (out / "run-000.json").write_text(seal(PASSED)),
            out.rename(out.parent / "elsewhere"),
            out.symlink_to("elsewhere"),
        ],
    ],
    ids=[
        "nothing",
        "unsealed",
        "guessed",
        "other-key",
        "changed",
        "verdict",
        "field",
        "huge",
        "pipe",
        "folder",
        "link",
        "linked-folder",
    ],
)
def test_what_is_no_honest_record_is_an_error(
    tmp_path: Path, scenario: Scenario, leave: Callable[[Path, Callable[[str], str]], object]
) -> None:
    arm = Arm("base", tiny_tree(tmp_path / "base"), ACCOUNT, 1)
    (run,) = scenario_run(ScriptedSandbox(leave), scenario, arms=[arm], host=HOST).arms[0].runs
    assert run.verdict == "error"
    assert "the sandbox ended with code 1. Killed" in run.reason


def test_a_picture_that_is_none_is_left_out(tmp_path: Path, scenario: Scenario) -> None:
    jpeg = b"\xff\xd8\xff picture"
    for picture, named, kept in [
        (jpeg, fingerprint(jpeg), jpeg),
        (jpeg, fingerprint(b"another"), None),
        (jpeg, None, None),
        (b"<svg onload=alert(1)>", fingerprint(b"<svg onload=alert(1)>"), None),
    ]:

        def leave(
            out: Path, seal: Callable[[str], str], picture: bytes = picture, named: str | None = named
        ) -> None:
            (out / "run-000.json").write_text(seal(json.dumps({**json.loads(PASSED), "picture": named})))
            (out / "run-000.jpg").write_bytes(picture)

        arm = Arm("base", tiny_tree(tmp_path / str(named) / str(kept)), ACCOUNT, 1)
        (run,) = scenario_run(ScriptedSandbox(leave), scenario, arms=[arm], host=HOST).arms[0].runs
        assert (run.verdict, run.screenshot) == ("passed", kept)


def test_a_failing_heartbeat_stops_both_arms(tmp_path: Path, scenario: Scenario) -> None:
    class Beating:
        def run(self, *_: object, heartbeat: Callable[[], None], **__: object) -> Result:
            while True:
                heartbeat()

    class LeaseLost(Exception):
        pass

    def beat() -> None:
        raise LeaseLost

    tree = tiny_tree(tmp_path / "base")
    arms = [Arm("base", tree, ACCOUNT, 1), Arm("fix", tree, ACCOUNT, 1)]
    with pytest.raises(LeaseLost):
        scenario_run(Beating(), scenario, arms=arms, host=HOST, heartbeat=beat)
