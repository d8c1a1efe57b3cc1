"""DECOMPOSE and PRIOR KNOWLEDGE: the symptom taken apart, and what we have seen before. Pure."""

from collections.abc import Iterator

from healing.evidence import Evidence
from healing.models import ThinkingPhase
from healing.thinking.shapes import Claim, Thought

# Machine words of the SDK, said for a person. A word that isn't listed is left out: it is foreign text.
REASONS = {
    "no_visible_response": "the action had no visible effect",
    "request_failed": "a request of the action failed",
    "error_not_shown": "the page showed no error",
    "exception_swallowed": "an exception was swallowed",
    "state_mismatch": "the page showed another value than the application holds",
    "login_then_expired": "the session was refused right after a login",
    "help_clicked": "the user asked for help",
}


def decompose(evidence: Evidence) -> Thought:
    claims = tuple(_facts(evidence))
    return Thought(ThinkingPhase.DECOMPOSE, ("kind", "reasons", "requests", "exceptions", "upstream"), claims)


def prior_knowledge(evidence: Evidence, best_score: float) -> Thought:
    claims = [Claim(f"No pattern fits well enough (best {best_score:.2f})", ("patterns",))]
    healed = [s for s in evidence.similar if s["status"] == "resolved" and s["same_route"]]
    if healed:
        claims.append(
            Claim(f"{len(healed)} incident(s) of this type on this route were healed", ("similar",))
        )
    back = [s for s in evidence.similar if s["comebacks"]]
    if back:
        claims.append(Claim(f"{len(back)} similar incident(s) came back after a remedy", ("similar",)))
    return Thought(ThinkingPhase.PRIOR, ("patterns", "similar"), tuple(claims))


def _facts(evidence: Evidence) -> Iterator[Claim]:
    for word in evidence.reasons:
        if word in REASONS:
            yield Claim(REASONS[word], ("reasons",), 0.8)
    if request := evidence.last_failed_request:
        status = int(request.get("status") or 0)
        yield Claim(f"the request answered {status or 'nothing'}", ("requests",), 0.8)
    for error in evidence.exceptions:
        where = (
            f" in {error.frames[-1].function} ({error.frames[-1].path}:{error.frames[-1].line})"
            if error.frames
            else ""
        )
        yield Claim(f"the server raised {error.type}{where} on the same trace", ("exceptions",))
    for exchange in evidence.upstream:
        yield Claim(f"the service {exchange['service']} answered {exchange['status']}", ("upstream",))
    if evidence.expectation:
        yield Claim("the page's value differs from the one the host expects", ("expectation",), 0.8)
    if evidence.unmapped_upstream:
        yield Claim("a call went to an address that no service of the manifest has", ("unmapped_upstream",))
    if evidence.outcomes:
        yield Claim(f"{evidence.outcomes} healthy outcome(s) of this action are known", ("outcomes",))
