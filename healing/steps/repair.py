"""The offline engine: searches an edit that makes the scenario pass, inside the intent lock and the gate."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from healing import limits
from healing.account import account_files
from healing.bench import NoSandbox, arms_run, reason_of, sandbox, scratch
from healing.evidence import Evidence, evidence_collect
from healing.fixes import changes_between, fix_judge
from healing.host_access import git_dir, host_manifest, service_addresses
from healing.manifest import Manifest
from healing.models import Fix, HealRun, Scenario
from healing.outcomes import FixFound, RungEnded
from healing.policy.diff_gate import Change, Decision, GateVerdict
from healing.policy.intent_lock import IntentLock, intent_lock
from healing.policy.paths import path_problems
from workbench.git_plumbing import RefExists, commit_changes, diff, resolve, tree_hash
from workbench.repair import CheckResult, Hints, RepairResult, repair_search
from workbench.scenario.bench import Arm
from workbench.workspace import tree_checkout, tree_collect

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # as in core.ids


def step(run: HealRun) -> FixFound | RungEnded:
    latest = run.fixes.order_by("-number").first()
    if latest is not None and latest.pk != run.fix_id:
        # A worker died between storing the fix and moving on: it is found, not searched again.
        return FixFound(latest.pk, latest.template)
    scenario = Scenario.objects.get(run=run)
    manifest = host_manifest(run.host)
    try:
        sandbox()
        with scratch() as place:
            tree_checkout(git_dir(run.host), scenario.base_commit, place / "base")
            search = _Search(run, scenario, manifest, place)
            result = search.run_it()
    except NoSandbox as error:
        return RungEnded(str(error))
    if result.status != "fixed":
        told = f"{result.tried} edits tried in {result.seconds:.0f} s"
        return RungEnded(
            f"no edit of the template set makes the scenario pass ({told}) {result.message}".strip()
        )
    fix = _stored(run, scenario, search, result)
    return FixFound(fix.pk, fix.template)


class _Search:
    """One search: what may change, what is checked, in which order."""

    def __init__(self, run: HealRun, scenario: Scenario, manifest: Manifest, place: Path) -> None:
        self.run, self.scenario, self.manifest, self.place = run, scenario, manifest, place
        self.base = place / "base"
        self.refused = {f.gate.get("content") for f in run.fixes.all()}
        self.evidence = _fresh_evidence(run, manifest)
        self.before = tree_collect(self.base)
        policy = manifest.policy
        self.may_change = tuple(
            p for p in sorted(self.before) if not [*path_problems(p, policy.editable, policy.protected)]
        )
        self.lock = self._lock()

    def run_it(self) -> RepairResult:
        known = self._from_pattern()
        if known is not None:
            return known
        return repair_search(
            self.base,
            self.check,
            hints=self._hints(),
            budget_s=limits.REPAIR_BUDGET_S,
            workers=limits.REPAIR_WORKERS,
            scratch=self.place,
        )

    def check(self, tree: Path) -> CheckResult:
        """Cheap filters first: the gate costs nothing, a run of the scenario costs seconds."""
        changes = self._changes(tree)
        if not changes:
            return CheckResult(False, "\n".join(self.scenario.base.get("output", ())))
        verdict = self.judge(changes)
        if verdict.decision == Decision.REFUSE:
            return CheckResult(False, f"refused by the gate: {verdict.reasons[0]}")
        if _digest(changes) in self.refused:
            return CheckResult(False, "verification has refused this edit before")
        # One run on the affected account: verification has the other account and the other runs.
        arm = Arm("candidate", tree, account_files(self.scenario.account), 1)
        (result,) = arms_run(self.run, self.manifest, self.scenario.body, [arm])
        (played,) = result.runs
        if played.verdict != "passed":
            reason = reason_of(result, played.verdict)
            return CheckResult(False, "\n".join([reason, *played.server_errors]))
        return CheckResult(True, "the scenario passes on a clone of the account")

    def judge(self, changes: Mapping[str, bytes]) -> GateVerdict:
        listed = [Change(p, self.before.get(p), new) for p, new in sorted(changes.items())]
        return fix_judge(listed, self.manifest, self.lock, self.evidence)

    def _changes(self, tree: Path) -> dict[str, bytes]:
        after = tree_collect(tree)
        return {p: content for p, content in after.items() if self.before.get(p) != content}

    def _hints(self) -> Hints:
        frames = [f for e in self.evidence.exceptions for f in e.frames]
        known = [(p, f.line, f.function) for f in frames for p in self.may_change if f.path.endswith(p)]
        wanted = self.run.remedy
        if wanted.get("file") in self.may_change:
            known.append((wanted["file"], 0, str(wanted.get("function", ""))))
        return Hints(
            frames=tuple((p, line) for p, line, _ in known if line),
            functions=tuple(dict.fromkeys(f for _, _, f in known if f)),
            upstream=self.evidence.upstream,
            files=self.may_change,
        )

    def _lock(self) -> IntentLock:
        assert self.run.incident is not None
        return intent_lock(
            kind=self.run.incident.kind,
            user=self.run.user,
            run=self.run.pk,
            base_commit=self.scenario.base_commit,
            may_change=self.may_change,
            must_appear=self.scenario.body.get("positive", {}),
            has_tests=bool(self.manifest.host.test),
            other_outcomes=self.evidence.outcomes,
        )

    def _from_pattern(self) -> RepairResult | None:
        """The very edit that healed the same before, when its files are as they were then."""
        earlier = Fix.objects.filter(pk=self.run.remedy.get("fix", ""), refused="").first()
        if earlier is None or self.run.fixes.exists():
            return None
        source = git_dir(self.run.host)
        tree_checkout(source, earlier.base_commit, self.place / "then")
        tree_checkout(source, earlier.commit, self.place / "healed")
        then, healed = tree_collect(self.place / "then"), tree_collect(self.place / "healed")
        changes = {p: c for p, c in healed.items() if then.get(p) != c}
        if not changes or any(self.before.get(p) != then.get(p) for p in changes):
            return None
        candidate = self.place / "candidate"
        shutil.copytree(self.base, candidate, symlinks=True)
        for path, content in changes.items():
            (candidate / path).write_bytes(content)
        if not self.check(candidate).passed:
            return None
        return RepairResult("fixed", changes, earlier.diff, earlier.template, 1, 0.0, 1)


def _fresh_evidence(run: HealRun, manifest: Manifest) -> Evidence:
    """The evidence as it is now: the server's word may have come after triage."""
    assert run.incident is not None
    return evidence_collect(run.incident, manifest, addresses=service_addresses(run.host, manifest))


def _stored(run: HealRun, scenario: Scenario, search: _Search, result: RepairResult) -> Fix:
    """Commits by plumbing and stores the row; repeated after a crash, both are found again."""
    number = run.fixes.count() + 1
    source, key = git_dir(run.host), _fix_id(run, number)
    ref = f"refs/kriptik/fix/{key}"
    message = f"Heal {run.pk}: {result.template}\n\n{search.lock.statement}\nIntent: {search.lock.hash}\n"
    run.beat()
    try:
        commit = commit_changes(source, scenario.base_commit, result.changes, message, ref)
    except RefExists:
        commit = resolve(source, ref)
    changes = changes_between(source, scenario.base_commit, commit)
    verdict = fix_judge(changes, search.manifest, search.lock, search.evidence)
    fix, _ = Fix.objects.get_or_create(
        run=run,
        number=number,
        defaults={
            "id": key,
            "base_commit": scenario.base_commit,
            "commit": commit,
            "ref": ref,
            "tree_hash": tree_hash(source, commit),
            "diff": diff(source, scenario.base_commit, commit),
            "template": result.template,
            "intent": search.lock.as_json(),
            "intent_hash": search.lock.hash,
            "paths": [c.path for c in changes],
            "gate": {**verdict.as_json(), "content": _digest({c.path: c.new or b"" for c in changes})},
            "search": _search_record(result),
            "refused": "; ".join(verdict.reasons)[:500] if verdict.decision == Decision.REFUSE else "",
        },
    )
    return fix


def _search_record(result: RepairResult) -> dict[str, Any]:
    return {
        "tried": result.tried,
        "seconds": round(result.seconds, 2),
        "survivors": result.survivors,
        "attempts": [vars(a) for a in list(result.attempts)[-50:]],
    }


def _digest(changes: Mapping[str, bytes]) -> str:
    joined = hashlib.sha256()
    for path, content in sorted(changes.items()):
        joined.update(f"{path}\0{len(content)}\0".encode() + content)
    return joined.hexdigest()


def _fix_id(run: HealRun, number: int) -> str:
    """The same id for the same try, so that a repeated step finds its ref again."""
    value = int.from_bytes(hashlib.sha256(f"{run.pk}:{number}".encode()).digest()[:7], "big")
    tail = "".join(_ALPHABET[(value >> (5 * i)) & 31] for i in range(11))
    return f"fix_{run.pk[4:13]}{tail}"
