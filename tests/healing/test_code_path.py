"""A code fix on the real demo host: reproduced, repaired, verified, handed to flags, told, learned."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from flags.models import Assignment, Rollout
from flags.phases import RolloutPhase
from flags.processes import free_port
from flags.services import rollout_move
from healing.models import Fix, Pattern, Scenario, Verification
from healing.phases import Phase
from healing.policy.diff_gate import Decision
from incidents.models import Host, Outcome, ServerEvent
from notifications.feed import feed_entry
from tests.healing.conftest import heal, incident_of, path_of
from tests.workbench.scenario.test_forge import FORGE, GENERATE, HEALTHY, ROOT, generate_report
from workbench.git_plumbing import resolve

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sandbox, pytest.mark.browser]
SECRET = "the-secret-of-forge-in-this-test-only"
TRACE = "a" * 32
USER = """
import sys
from pathlib import Path
from forge.auth.users import user_create
from forge.billing.ledger import ledger_sum
from forge.db import connect, create
path = Path(sys.argv[1]) / "forge.db"
create(path)
with connect(path) as db:
    user_create(db, user_id="u1", name="Ada", email="ada@forge.example", password="correct horse battery")
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Forge in a git repository of its own, as `make demo` lays it out."""
    work = tmp_path_factory.mktemp("forge") / "work"
    shutil.copytree(FORGE, work, ignore=shutil.ignore_patterns("__pycache__", "data", ".pytest_cache"))
    git = ["git", "-c", "user.name=Forge", "-c", "user.email=dev@forge.example", "-C", str(work)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Forge"], check=True)
    return work


@pytest.fixture(scope="module")
def forge(repository, tmp_path_factory):
    """The running host: its base URL."""
    data, port = tmp_path_factory.mktemp("data"), free_port()
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FORGE_DATA": str(data),
        "FORGE_MODEL_URL": "http://127.0.0.1:7101",
        "FORGE_PAYMENTS_URL": "http://127.0.0.1:7102",
        "KRIPTIK_SECRET": SECRET,
        "KRIPTIK_HOST": "forge",
    }
    subprocess.run([sys.executable, "-c", USER, str(data)], cwd=repository, env=env, check=True)
    command = [sys.executable, "-m", "forge", "--port", str(port)]
    process = subprocess.Popen(command, cwd=repository, env=env, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "Forge did not start"
                time.sleep(0.05)  # its health is the fact waited for
        yield url, data
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def host(db, forge, repository):
    url, data = forge
    return Host.objects.create(
        name="Forge",
        slug="forge",
        secret=SECRET,
        base_url=url,
        git_dir=str(repository / ".git"),
        data_dir=str(data),
        manifest_toml=(FORGE / "kriptik.toml").read_text(),
        autonomy="auto",
        environment={
            "FORGE_MODEL_URL": "http://127.0.0.1:7101",
            "FORGE_PAYMENTS_URL": "http://127.0.0.1:7102",
        },
    )


def generate_incident(host, user="u1"):
    report = {k: v for k, v in generate_report().items() if k not in ("kind", "route", "page")}
    report["actions"] = [{"at": i, **action} for i, action in enumerate(report["actions"])]
    report["requests"] = [{**report["requests"][0], "trace_id": TRACE}]
    incident = incident_of(host, "SILENT_FAILURE", user, "/studio", **report, trace_id=TRACE)
    incident.reports.update(trace_id=TRACE)
    Outcome.objects.get_or_create(
        host=host,
        route="/studio",
        element=GENERATE["fingerprint"],
        shape="s",
        payload=HEALTHY,
        defaults={"count": 9},
    )
    ServerEvent.objects.get_or_create(
        host=host,
        event_id="e" * 32,
        defaults={
            "trace_id": TRACE,
            "title": "HTTPError",
            "upstream": [
                {
                    "method": "POST",
                    "host": "127.0.0.1:7101",
                    "path": "/v1/generate",
                    "status": 429,
                    "retry_after": "1",
                }
            ],
            "event": {
                "exception": {
                    "values": [
                        {
                            "type": "HTTPError",
                            "value": "429 Client Error",
                            "stacktrace": {
                                "frames": [
                                    {
                                        "filename": "forge/studio/views.py",
                                        "function": "generate",
                                        "lineno": 40,
                                    },
                                    {
                                        "filename": "forge/studio/provider.py",
                                        "function": "request_app",
                                        "lineno": 18,
                                    },
                                ]
                            },
                        }
                    ]
                }
            },
        },
    )
    return incident


def flags_does(rollout: Rollout, to: RolloutPhase, subject: str = "") -> None:
    """What the rollout's controller does, without the processes."""
    phase = Rollout.objects.get(pk=rollout.pk).phase
    assert rollout_move(rollout.pk, to, from_=RolloutPhase(phase), reason=f"to {to}")
    if subject:
        Assignment.objects.create(rollout=rollout, subject=subject, member="m", phase=to)


@pytest.mark.timeout(400)
def test_generate_is_healed_by_code_and_the_lesson_heals_the_next(host):
    incident = generate_incident(host)
    run = heal(incident, steps=8)
    assert run.phase == Phase.ROLLING_OUT, (run.outcome, run.last_error)
    assert path_of(run) == ["triaging", "diagnosing", "reproducing", "repairing", "verifying", "rolling_out"]
    assert "429" in run.diagnosis["root_cause"]

    scenario = Scenario.objects.get()
    assert (scenario.base["failed"], scenario.base["runs"]) == (5, 5)
    fix = Fix.objects.get()
    assert fix.gate["decision"] == Decision.TIER0, fix.gate
    assert fix.paths == ["forge/studio/provider.py"]
    assert resolve(Path(host.git_dir), f"refs/kriptik/fix/{fix.pk}") == fix.commit
    verification = Verification.objects.get()
    assert verification.verdict == "passed", verification.checks
    assert verification.arms["clone"] == {"passed": 5, "failed": 0, "error": 0}
    assert verification.arms["generic"]["passed"] == 5
    assert verification.p_value < 0.01
    assert verification.checks["host tests"]["verdict"] == "passed"

    rollout = Rollout.objects.get()
    assert rollout.release.tree_hash == fix.tree_hash
    assert feed_entry(run.subject, incident.pk).stage == "verifying", "nothing is fixed for the user yet"
    flags_does(rollout, RolloutPhase.AFFECTED_USER, run.subject)
    run = heal(incident, steps=1)
    state = feed_entry(run.subject, incident.pk)
    assert (state.stage, state.release.token) == ("resolved", Assignment.objects.get().token)
    assert incident.status == "deployed"
    flags_does(rollout, RolloutPhase.SIMILAR_USERS)
    flags_does(rollout, RolloutPhase.FULL)
    Rollout.objects.update(finished_at=rollout.created_at)
    run = heal(incident)
    assert (run.phase, incident.status) == (Phase.SETTLED, "resolved")
    pattern = Pattern.objects.get()
    assert pattern.remedy["template"] == fix.template
    assert run.score["score"] >= 0.9
