"""Runs the six phases in order and stores each; the last word is a diagnosis, a question or nothing."""

from collections.abc import Sequence

from healing import limits
from healing.evidence import Evidence
from healing.manifest import Manifest
from healing.models import HealRun, ThinkingPhase, ThinkingRecord
from healing.outcomes import AskUser, Diagnosis, NoCauseFound
from healing.thinking.explore import KINDS_BY_CHOICE, QUESTION, QUESTION_ID, explore
from healing.thinking.facts import decompose, prior_knowledge
from healing.thinking.probes import Probe, probe
from healing.thinking.shapes import Claim, Hypothesis, Thought


def think(
    run: HealRun, evidence: Evidence, manifest: Manifest, *, best_pattern: float
) -> Diagnosis | AskUser | NoCauseFound:
    """Six stored phases; `best_pattern` is the score of the nearest pattern that was not near enough."""
    record = _Recorder(run)
    record.store(decompose(evidence))
    record.store(prior_knowledge(evidence, best_pattern))
    explored = record.store(explore(evidence, manifest, _answered_kind(run)))
    tried = {str(t.get("remedy")) for t in run.tried}
    judged = record.store(critique(evidence, explored.hypotheses, tried)).hypotheses
    standing = [h for h in judged if h.confidence >= limits.MIN_CONFIDENCE]
    synthesis = record.store(synthesize(standing))
    chosen, checks = _verify(run, evidence, manifest, synthesis.hypotheses)
    record.store(
        Thought(ThinkingPhase.VERIFY, ("hypotheses",), checks, chosen.confidence if chosen else None)
    )
    if chosen is None:
        return _nothing_stands(run, evidence, bool(synthesis.hypotheses))
    others = tuple(h.as_json() for h in standing if h.id != chosen.id)
    return Diagnosis(chosen.cause, chosen.remedy, chosen.confidence, chosen.rung, others)


def critique(evidence: Evidence, found: Sequence[Hypothesis], tried: set[str]) -> Thought:
    """What speaks against each hypothesis. Pure."""
    judged = []
    for hypothesis in found:
        if str(hypothesis.remedy.get("name", "")) in tried:
            hypothesis = hypothesis.weakened(1.0, "this remedy was tried in this run and did not hold")
        if not evidence.verified:
            hypothesis = hypothesis.weakened(0.1, "nobody vouched for who reported it")
        if hypothesis.remedy["kind"] == "runbook" and evidence.innermost:
            hypothesis = hypothesis.weakened(0.15, "the server's code failed on the same trace")
        if hypothesis.remedy["kind"] == "code" and evidence.expectation and not evidence.exceptions:
            hypothesis = hypothesis.weakened(
                0.2, "a wrong value without a server fault points to the account's state"
            )
        if hypothesis.id == "server_exception" and any(h.id == "upstream_not_retried" for h in found):
            hypothesis = hypothesis.weakened(0.1, "the exception is how the service's refusal surfaces")
        judged.append(hypothesis)
    judged.sort(key=lambda h: (-h.confidence, h.id))
    claims = tuple(Claim(f"{h.id}: {why}", h.links) for h in judged for why in h.against)
    return Thought(ThinkingPhase.CRITIQUE, ("hypotheses",), claims, None, tuple(judged))


def synthesize(standing: Sequence[Hypothesis]) -> Thought:
    """The order in which the standing hypotheses are to be checked. Pure."""
    claims = tuple(Claim(h.cause, h.links, h.confidence) for h in standing[:1])
    best = standing[0].confidence if standing else None
    return Thought(ThinkingPhase.SYNTHESIZE, ("hypotheses",), claims, best, tuple(standing))


def _verify(
    run: HealRun, evidence: Evidence, manifest: Manifest, standing: Sequence[Hypothesis]
) -> tuple[Hypothesis | None, tuple[Claim, ...]]:
    """The first hypothesis that its check does not refute."""
    checks: list[Claim] = []
    for hypothesis in standing:
        found: Probe = probe(run, evidence, manifest, hypothesis)
        word = {True: "refuted", False: "stands", None: "unchecked"}[found.refuted]
        checks.append(Claim(f"{hypothesis.id} {word}: {found.told}", hypothesis.links))
        if not found.refuted:
            chosen = hypothesis.strengthened(0.1) if found.refuted is False else hypothesis
            return chosen, tuple(checks)
    return None, tuple(checks)


def _nothing_stands(run: HealRun, evidence: Evidence, had_any: bool) -> AskUser | NoCauseFound:
    asked = run.answer.get("question") == QUESTION_ID
    if evidence.kind == "USER_REPORTED" and run.verified and not asked:
        return AskUser(QUESTION, "the user's words alone name no cause; a closed question may")
    if had_any:
        return NoCauseFound("every hypothesis was refuted by its check")
    return NoCauseFound("no rule explains this evidence")


def _answered_kind(run: HealRun) -> str:
    if run.answer.get("question") != QUESTION_ID:
        return ""
    return KINDS_BY_CHOICE.get(str(run.answer.get("choice")), "")


class _Recorder:
    """Stores each phase as it ends; a repeated step overwrites what its crashed forerunner left."""

    def __init__(self, run: HealRun) -> None:
        self.run = run
        self.round = run.transitions.filter(to_phase="diagnosing").count() or 1

    def store(self, thought: Thought) -> Thought:
        ThinkingRecord.objects.update_or_create(
            run=self.run,
            round=self.round,
            phase=thought.phase,
            defaults={"record": thought.as_json(), "confidence": thought.confidence},
        )
        return thought
