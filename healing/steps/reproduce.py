"""Compiles the recording to a scenario and shows that the unchanged base fails on a clone of the account."""

from typing import Any

from healing import limits
from healing.account import NoClone, account_clone, account_files
from healing.bench import NoSandbox, arms_run, counts, reason_of, scratch
from healing.evidence import outcomes_of, report_traces, upstream_mapped
from healing.host_access import branch_head, git_dir, host_manifest, service_addresses
from healing.manifest import Manifest
from healing.models import HealRun, Scenario
from healing.oracle import base_runs_needed
from healing.outcomes import Reproduced, RungEnded
from incidents.models import Report, ServerEvent
from incidents.selectors import report_latest
from workbench.scenario.bench import Arm
from workbench.scenario.compile import scenario_compile
from workbench.scenario.errors import NotReproducible
from workbench.scenario.fisher import fisher_p
from workbench.workspace import tree_checkout


def step(run: HealRun) -> Reproduced | RungEnded:
    known = Scenario.objects.filter(run=run).first()
    if known is not None:
        return _outcome(known)
    assert run.incident is not None
    report = report_latest(run.incident.pk, subject=run.subject)
    if report is None:
        return RungEnded("the user's report is gone")
    manifest = host_manifest(run.host)
    try:
        scenario = scenario_compile(
            report.payload,
            outcomes=outcomes_of(run.incident, report.payload),
            upstream=_upstream(run, report, manifest),
        )
        account, generic = account_clone(run, run.user), account_clone(run, None)
        base = branch_head(run.host)
        shown = _show(run, manifest, scenario.model_dump(mode="json"), account, base)
    except NotReproducible as error:
        return RungEnded(f"no scenario can be made of the recording: {error}")
    except (NoClone, NoSandbox) as error:
        return RungEnded(str(error))
    row, _ = Scenario.objects.get_or_create(
        run=run,
        defaults={
            "body": scenario.model_dump(mode="json"),
            "base_commit": base,
            "base": shown,
            "account": account,
            "generic": generic,
        },
    )
    return _outcome(row)


def _show(
    run: HealRun, manifest: Manifest, body: dict[str, Any], account: dict[str, Any], base: str
) -> dict[str, Any]:
    """How often base fails: five runs, and more while only more can tell a flaky fault from a fix."""
    failed = runs = errors = 0
    reason, output = "", []
    with scratch() as place:
        tree_checkout(git_dir(run.host), base, place / "base")
        wanted: int | None = limits.CLONE_RUNS
        while wanted is not None and runs < wanted:
            arm = Arm("base on the clone", place / "base", account_files(account), wanted - runs)
            (result,) = arms_run(run, manifest, body, [arm])
            found = counts(result)
            failed, errors, runs = failed + found["failed"], errors + found["error"], runs + len(result.runs)
            reason = reason or reason_of(result, "failed") or reason_of(result, "error")
            output += [line for r in result.runs for line in (*r.server_errors, *r.console_errors)]
            wanted = runs if errors else base_runs_needed(failed, runs, limits.FISHER_P, limits.MAX_BASE_RUNS)
    return {
        "failed": failed,
        "errors": errors,
        "runs": runs,
        "reason": reason,
        "p": fisher_p(failed, runs, 0, runs),
        "output": list(dict.fromkeys(output))[:50],
    }


def _outcome(row: Scenario) -> Reproduced | RungEnded:
    base = row.base
    if base["errors"]:
        return RungEnded(f"the scenario could not be played {base['errors']} times: {base['reason']}")
    if base["p"] >= limits.FISHER_P:
        told = f"base fails {base['failed']} of {base['runs']} times on a clone of the account"
        return RungEnded(f"not reproduced: {told} (p = {base['p']:.2f})", {"reason": base["reason"]})
    return Reproduced(row.pk, base["failed"], base["runs"])


def _upstream(run: HealRun, report: Report, manifest: Manifest) -> list[dict[str, Any]]:
    """What the host's services answered in the traces of this very report."""
    events = ServerEvent.objects.filter(
        host=run.host, trace_id__in=report_traces(report), from_server=True
    ).order_by("at")
    mapped, _ = upstream_mapped(events, manifest, service_addresses(run.host, manifest))
    return mapped
