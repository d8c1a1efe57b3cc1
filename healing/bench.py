"""The one door to the workbench's bench: builds its values from our rows, and its verdicts back."""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from healing.errors import StepPostponed
from healing.manifest import Manifest
from healing.models import HealRun
from healing.policy.autonomy import stopped
from workbench.sandbox import Sandbox, SandboxError, SandboxUnavailable, sandbox_open
from workbench.scenario.bench import Arm, ArmResult, HostSpec, ServiceSpec, scenario_run
from workbench.scenario.errors import BenchRefused
from workbench.scenario.model import Scenario as BenchScenario


class NoSandbox(Exception):
    """Nothing untrusted is run on this machine; the message names the remedy."""


def sandbox() -> Sandbox:
    try:
        return sandbox_open(settings.SANDBOX_ENGINE)
    except SandboxUnavailable as error:
        raise NoSandbox(str(error)) from error


def host_spec(manifest: Manifest) -> HostSpec:
    services = {name: ServiceSpec(s.env, s.start) for name, s in manifest.services.items()}
    host = manifest.host
    return HostSpec(host.start, host.health, host.data_env, services, host.setup)


def arms_run(run: HealRun, manifest: Manifest, body: dict[str, Any], arms: Sequence[Arm]) -> list[ArmResult]:
    """Plays the stored scenario. Raises NoSandbox, LeaseLost, StepPostponed when the sandbox failed."""
    scenario = BenchScenario.model_validate(body)
    try:
        result = scenario_run(
            sandbox(), scenario, arms=list(arms), host=host_spec(manifest), heartbeat=pulse_of(run)
        )
    except (SandboxError, BenchRefused) as error:
        raise StepPostponed(f"the bench could not run: {error}") from error
    return list(result.arms)


def counts(arm: ArmResult) -> dict[str, int]:
    return {v: sum(r.verdict == v for r in arm.runs) for v in ("passed", "failed", "error")}


def reason_of(arm: ArmResult, verdict: str) -> str:
    """Why the first such run ended so; the page's own words are cut short."""
    return next((r.reason[:200] for r in arm.runs if r.verdict == verdict), "")


def pulse_of(run: HealRun) -> Callable[[], None]:
    """The run's heartbeat and the kill switch, for long work in the sandbox.

    Called from the bench's own threads, each of which gives its database connection back.
    """
    beat = run.heartbeat()

    def pulse() -> None:
        try:
            beat()
            if stopped(run.host):
                raise StepPostponed("the kill switch was turned on")
        finally:
            if threading.current_thread() is not threading.main_thread():
                connection.close()

    return pulse


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of its own under var/, gone afterwards."""
    root = settings.VAR_DIR / "heal"
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, ignore_cleanup_errors=True) as place:
        yield Path(place)
