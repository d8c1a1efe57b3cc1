"""The runbook rung: asks the user when the manifest says so, then applies, judges, undoes."""

from healing.host_access import host_manifest
from healing.manifest import Ask
from healing.models import HealRun
from healing.outcomes import (
    AskUser,
    OwnerNeeded,
    RunbookHeld,
    RunbookSkipped,
    RunbookUndone,
    RungEnded,
)
from healing.policy.autonomy import may_act_alone
from healing.runbooks import runbook_apply

Answer = AskUser | OwnerNeeded | RunbookHeld | RunbookSkipped | RunbookUndone | RungEnded


def step(run: HealRun) -> Answer:
    name = str(run.remedy.get("name", ""))
    action = host_manifest(run.host).actions.get(name)
    if action is None:
        return RunbookSkipped(name, "the accepted manifest has no such action")
    if not run.verified:
        return RunbookSkipped(name, "nobody vouched for this user's identity")
    permission = may_act_alone(run.host)
    if not permission.allowed and run.approval.get("runbook") != name:
        return OwnerNeeded(f"runbook {name}: {permission.reason}", {"runbook": name})
    if action.ask is not None:
        choice = run.answer.get("choice") if run.answer.get("question") == name else None
        if choice is None:
            return AskUser(_question(name, action.ask), f"the manifest asks before {name}")
        if choice not in action.ask.proceed:
            return RungEnded(
                f"the user answered {choice!r} to the question before {name}: a person must look"
            )
    return runbook_apply(run, name, action)


def _question(name: str, ask: Ask) -> dict[str, object]:
    choices = [{"id": key, "label": label} for key, label in ask.choices.items()]
    return {"id": name, "text": ask.text, "choices": choices, "free_text": False}
