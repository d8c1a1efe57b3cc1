"""EXPLORE: one rule per family of causes; each reads the evidence and answers a hypothesis or nothing."""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from healing.evidence import Evidence
from healing.manifest import Action, Manifest
from healing.models import ThinkingPhase
from healing.phases import Rung
from healing.thinking.shapes import Claim, Hypothesis, Thought

MAX_HYPOTHESES = 3
TEMPORARY = frozenset({429, 500, 502, 503, 504})

Rule = Callable[[Evidence], Hypothesis | None]


def explore(evidence: Evidence, manifest: Manifest, answer: str = "") -> Thought:
    """Two or three hypotheses, the likeliest first; none when no rule fits."""
    found = [*_runbook_causes(evidence, manifest, answer)]
    found += [h for rule in RULES if (h := rule(evidence))]
    best = tuple(sorted(found, key=lambda h: (-h.confidence, h.id))[:MAX_HYPOTHESES])
    claims = tuple(Claim(h.cause, h.links, h.confidence) for h in best)
    return Thought(
        ThinkingPhase.EXPLORE, ("reasons", "requests", "exceptions", "upstream"), claims, None, best
    )


def action_fits(action: Action, evidence: Evidence, kind: str = "") -> bool:
    """Whether the manifest declares this action for such a case."""
    if (kind or evidence.kind) not in action.for_:
        return False
    if action.match.reasons and not set(action.match.reasons) & set(evidence.reasons):
        return False
    return not action.match.routes or any(fnmatchcase(evidence.route, p) for p in action.match.routes)


def _runbook_causes(evidence: Evidence, manifest: Manifest, answer: str) -> Iterator[Hypothesis]:
    # What the user picked from our own closed list counts as a type; their free text never does.
    kind = answer if answer in KINDS_BY_CHOICE.values() else ""
    for name, action in sorted(manifest.actions.items()):
        if not action_fits(action, evidence, kind):
            continue
        confidence = 0.6
        links = ["kind"]
        if evidence.expectation or set(evidence.reasons) & {"state_mismatch", "login_then_expired"}:
            confidence, links = 0.75, ["kind", "reasons", "expectation"]
        yield Hypothesis(
            f"runbook:{name}",
            f"The account's own state is wrong: {action.verify} does not hold for this user",
            {"kind": "runbook", "name": name},
            confidence,
            tuple(links),
            Rung.RUNBOOK,
        )


def _upstream_refused(evidence: Evidence) -> Hypothesis | None:
    bad = [x for x in evidence.upstream if int(x["status"] or 0) in TEMPORARY]
    if not bad:
        return None
    last = bad[-1]
    frame = evidence.innermost
    where = f" in {frame.function} ({frame.path})" if frame else ""
    joined = evidence.last_failed_request is not None or bool(evidence.exceptions)
    return Hypothesis(
        "upstream_not_retried",
        f"The service {last['service']} answered {last['status']} and the host does not try again{where}",
        {"kind": "code", "hint": "retry", "service": last["service"], "status": last["status"]},
        0.85 if joined else 0.6,
        ("upstream", "exceptions", "requests"),
        Rung.OFFLINE,
    )


def _server_raised(evidence: Evidence) -> Hypothesis | None:
    frame = evidence.innermost
    if frame is None:
        return None
    return Hypothesis(
        "server_exception",
        f"{frame.function} ({frame.path}:{frame.line}) raises {evidence.exceptions[0].type} for this input",
        {"kind": "code", "hint": "exception", "file": frame.path, "function": frame.function},
        0.7,
        ("exceptions",),
        Rung.OFFLINE,
    )


def _page_hides_error(evidence: Evidence) -> Hypothesis | None:
    request = evidence.last_failed_request
    if request is None or not {"error_not_shown", "no_visible_response"} & set(evidence.reasons):
        return None
    return Hypothesis(
        "page_hides_error",
        f"A request answers {int(request.get('status') or 0)} and the page does nothing with the answer",
        {"kind": "code", "hint": "unchecked_response"},
        0.5,
        ("requests", "reasons"),
        Rung.OFFLINE,
    )


def _page_raised(evidence: Evidence) -> Hypothesis | None:
    if not evidence.error:
        return None
    return Hypothesis(
        "page_exception",
        "The page's own script fails in this action",
        {"kind": "code", "hint": "page_exception"},
        0.55,
        ("error",),
        Rung.OFFLINE,
    )


def _nothing_happens(evidence: Evidence) -> Hypothesis | None:
    if evidence.kind != "SILENT_FAILURE" or evidence.requests or evidence.error or not evidence.action_count:
        return None
    return Hypothesis(
        "no_handler",
        "The action starts no request and changes nothing: its handler is missing or returns early",
        {"kind": "code", "hint": "handler"},
        0.45,
        ("reasons", "action_count"),
        Rung.OFFLINE,
    )


RULES: tuple[Rule, ...] = (
    _upstream_refused,
    _server_raised,
    _page_hides_error,
    _page_raised,
    _nothing_happens,
)

# The one question that the engine itself may ask, and what each choice means as a type of trouble.
QUESTION_ID = "what_is_wrong"
KINDS_BY_CHOICE = {
    "balance": "BILLING_ISSUE",
    "login": "AUTH_ISSUE",
    "nothing": "SILENT_FAILURE",
    "other": "USER_REPORTED",
}
QUESTION = {
    "id": QUESTION_ID,
    "text": "Thank you for telling us. What comes closest?",
    "choices": [
        {"id": "balance", "label": "My balance or plan looks wrong"},
        {"id": "login", "label": "I can't stay signed in"},
        {"id": "nothing", "label": "I clicked and nothing happened"},
        {"id": "other", "label": "Something else"},
    ],
    "free_text": True,
}
