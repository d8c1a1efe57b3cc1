"""A fix as git has it: what is judged is read back from the commit, never from what the engine said."""

from pathlib import Path

from healing import limits
from healing.evidence import Evidence
from healing.manifest import Manifest
from healing.policy.diff_gate import Change, GateVerdict, Rules, judge
from healing.policy.intent_lock import IntentLock
from workbench.git_plumbing import TreeEntry, blobs, tree_entries


def changes_between(source: Path, base: str, commit: str) -> list[Change]:
    """Every path whose mode or content differs."""
    old = {e.path: e for e in tree_entries(source, base)}
    new = {e.path: e for e in tree_entries(source, commit)}
    paths = [p for p in sorted(old.keys() | new.keys()) if _differ(old.get(p), new.get(p))]
    return [_change(source, p, old.get(p), new.get(p)) for p in paths]


def fix_judge(changes: list[Change], manifest: Manifest, lock: IntentLock, evidence: Evidence) -> GateVerdict:
    """The gate's verdict under the accepted manifest and the intent lock."""
    rules = Rules(
        manifest.policy.editable, manifest.policy.protected, lock.may_change, visitor_words(evidence)
    )
    return judge(changes, rules)


def visitor_words(evidence: Evidence) -> tuple[str, ...]:
    """What a visitor could have written, to be kept out of code."""
    found = [evidence.text, *(str(c.get("text", "")) for c in evidence.console)]
    found += [str((evidence.error or {}).get(k, "")) for k in ("message", "stack")]
    return tuple(f[: limits.EVIDENCE_TEXT] for f in found if f)


def _differ(old: TreeEntry | None, new: TreeEntry | None) -> bool:
    if old is None or new is None:
        return True
    return (old.mode, old.blob) != (new.mode, new.blob)


def _change(source: Path, path: str, old: TreeEntry | None, new: TreeEntry | None) -> Change:
    return Change(
        path,
        _content(source, old),
        _content(source, new),
        old.mode if old else "",
        new.mode if new else "",
    )


def _content(source: Path, entry: TreeEntry | None) -> bytes | None:
    return None if entry is None else next(iter(blobs(source, [entry.blob])))
