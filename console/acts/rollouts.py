"""What the owner can do with what runs: kill one release, stop everything, let a held rollout go on."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from console.acts.base import Act, Ask, Asked, Outcome, act_register
from console.kill import kill_switch_now
from core.errors import Refused
from flags.models import Rollout
from flags.phases import RolloutPhase
from flags.selectors import release_get, rollout_get
from flags.services import kill_all, kill_lift, release_kill, rollout_approve


def _back(rollout: Rollout | None) -> str:
    if rollout is not None and rollout.incident_id:
        return reverse("admin:incident", args=[rollout.incident_id])
    return reverse("admin:index")


def _kill_ask(release_id: str) -> Ask:
    release = release_get(release_id)
    rollout = Rollout.objects.filter(release=release).first()
    return Ask(
        title="Roll back now",
        says="Everyone on this candidate is back on stable at once, its sockets are cut, its processes end.",
        button="Roll back now",
        back=_back(rollout),
        facts=[
            ("Host", release.host.name),
            ("Release", str(release)),
            ("Rollout", rollout.stage.label if rollout else "none"),
        ],
        danger=True,
    )


def _kill(asked: Asked) -> Outcome:
    proof = release_kill(asked.subject, reason=asked.reason or "rolled back by the owner", actor=asked.actor)
    return _told(
        {asked.subject: proof},
        done="Rolled back: everyone is on stable.",
        short="Its rollout is marked as rolled back, but members may still be on the candidate.",
        command=f"python manage.py kill {asked.subject}",
    )


def _told(proofs: Mapping[str, Mapping[str, Any]], *, done: str, short: str, command: str) -> Outcome:
    """Success only when every proof holds: a gateway that is down may still serve the candidate."""
    left = {release: proof for release, proof in proofs.items() if not proof["proved"]}
    if not left:
        return Outcome(done, detail={"proved": True})
    says = [short, *(_unproved(release, proof) for release, proof in left.items())]
    says.append(f"See that the gateway runs, then run `{command}` on the server: it tells of every step.")
    failed = {release: [s for s in proof["steps"] if not s["ok"]] for release, proof in left.items()}
    return Outcome(" ".join(says), short=True, detail={"proved": False, "unproved": failed})


def _unproved(release: str, proof: Mapping[str, Any]) -> str:
    steps = proof["steps"]
    failed = ", ".join(step["step"] for step in steps if not step["ok"])
    held = ", ".join(step["step"] for step in steps if step["ok"]) or "nothing"
    why = dict.fromkeys(str(step["error"]).rstrip(".") for step in steps if "error" in step)
    told = f" ({'; '.join(why)})" if why else ""
    return f"Not proved for {release}: {failed}{told}. Proved: {held}."


def _approve_ask(rollout_id: str) -> Ask:
    rollout = rollout_get(rollout_id)
    if rollout.phase != RolloutPhase.HELD:
        raise Refused(f"This rollout is {rollout.stage.label.lower()}, not held.")
    return Ask(
        title="Let this rollout go on",
        says="Your word counts as the evidence that the held phase could not get: on to the next phase.",
        button="Let it go on",
        back=_back(rollout),
        facts=[
            ("Host", rollout.host.name),
            ("Held because", rollout.reason),
            ("Tree", rollout.release.tree_hash),
        ],
        bound={"tree_hash": rollout.release.tree_hash},
    )


def _approve(asked: Asked) -> str:
    rollout_approve(asked.subject, actor=asked.actor, tree_hash=asked.bound.get("tree_hash", ""))
    return "The rollout goes on."


def _kill_all_ask(_: str) -> Ask:
    if kill_switch_now() is not None:
        raise Refused("Everything is stopped already.")
    return Ask(
        title="Stop everything",
        says=(
            "Nothing new starts on any host: no heal, no runbook, no rollout. Every candidate is taken "
            "back, and everyone is on stable. Users' reports are still collected."
        ),
        button="Stop everything now",
        back=reverse("admin:index"),
        danger=True,
    )


def _kill_all(asked: Asked) -> Outcome:
    proofs = kill_all(reason=asked.reason or "the owner pressed the switch", actor=asked.actor)
    count = "1 candidate was" if len(proofs) == 1 else f"{len(proofs)} candidates were"
    return _told(
        proofs,
        done=f"Everything is stopped; {count} taken back.",
        short="The switch is on: nothing new starts. But members may still be on a candidate.",
        command="python manage.py kill all",
    )


def _resume_ask(_: str) -> Ask:
    switch = kill_switch_now()
    if switch is None:
        raise Refused("Nothing is stopped.")
    return Ask(
        title="Let everything start again",
        says="Heals and rollouts may start again on every host. What was taken back stays so.",
        button="Start again",
        back=reverse("admin:index"),
        facts=[("Stopped because", switch.reason), ("By", switch.actor)],
    )


def _resume(asked: Asked) -> str:
    if not kill_lift(actor=asked.actor):
        raise Refused("Nothing is stopped.")
    return "Everything may start again."


act_register(Act("kill_release", _kill_ask, _kill))
act_register(Act("approve_rollout", _approve_ask, _approve))
act_register(Act("kill_all", _kill_all_ask, _kill_all))
act_register(Act("resume", _resume_ask, _resume))
