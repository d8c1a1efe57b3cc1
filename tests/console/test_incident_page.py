"""The incident page tells the whole story: what happened, was thought, measured, changed and rolled out."""

import gzip
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.incident_view import diff_lines, evidence_pieces
from core import clock
from flags.models import Release, Rollout, RolloutTransition
from healing.models import Fix, HealRun, RunTransition, ThinkingRecord, Verification
from incidents.models import IncidentTransition, Recording
from tests.console.conftest import report_make

pytestmark = pytest.mark.django_db
DIFF = "--- a/app.py\n+++ b/app.py\n@@ -1 +1,2 @@\n-old = 1 < 2\n+new = 2\n same"


@pytest.fixture
def story(host, incident):
    """A heal with everything in it, its rows written out of order."""
    start = clock.now() - timedelta(minutes=10)
    incident.first_seen = start
    incident.save(update_fields=["first_seen"])
    run = HealRun.objects.create(host=host, incident=incident, phase="rolling_out")
    release = Release.objects.create(host=host, kind="candidate", commit="c" * 40, directory="/x", spec={})
    rollout = Rollout.objects.create(
        host=host,
        release=release,
        incident_id=incident.pk,
        phase="similar_users",
        evidence={"verdict": "healthy", "requests": 214},
    )
    lines = [
        (RolloutTransition, rollout, "pending", "affected_user", "the candidate is up", 5),
        (IncidentTransition, incident, "detected", "diagnosing", "a run looks into it", 1),
        (RunTransition, run, "diagnosing", "reproducing", "the provider answers 429", 3),
    ]
    for model, subject, before, after, reason, minute in lines:
        model.objects.create(
            subject=subject,
            from_phase=before,
            to_phase=after,
            reason=reason,
            at=start + timedelta(minutes=minute),
        )
    ThinkingRecord.objects.create(
        run=run,
        phase="SYNTHESIZE",
        confidence=0.82,
        record={
            "engine": "rules",
            "claims": [{"text": "nobody tries again", "links": ["upstream"]}],
            "hypotheses": [{"cause": "no retry", "confidence": 0.8, "against": ["once it worked"]}],
        },
    )
    fix = Fix.objects.create(
        run=run,
        base_commit="1" * 40,
        commit="2" * 40,
        ref="r",
        tree_hash="tree4711",
        diff=DIFF,
        template="retry",
        intent={"statement": "Fix SILENT_FAILURE for user alice"},
        intent_hash="x",
        paths=["app.py"],
        gate={"decision": "allow", "reasons": ["a retry around one call"]},
    )
    Verification.objects.create(
        fix=fix,
        arms={
            "base": {"passed": 0, "failed": 5, "error": 0},
            "clone": {"passed": 4, "failed": 0, "error": 1},
        },
        checks={"host_tests": {"verdict": "failed", "reason": "1 of 31 failed", "seconds": 8.2}},
        p_value=0.0079,
        verdict="failed",
    )
    return incident


def text_of(owner, incident):
    return " ".join(owner.get(f"/console/incident/{incident.pk}/").content.decode().split())


def test_the_timeline_merges_every_history_in_order(owner, story):
    page = text_of(owner, story)
    reasons = ["first report", "a run looks into it", "the provider answers 429", "the candidate is up"]
    places = [page.index(reason) for reason in reasons]
    assert places == sorted(places)


def test_the_verification_is_shown_as_it_was_counted(owner, story):
    page = text_of(owner, story)
    assert "<td>base</td><td>0</td><td>5</td><td>0</td>" in page
    assert "<td>clone</td><td>4</td><td>0</td><td>1</td>" in page
    assert "1 of 31 failed" in page
    assert "p = 0.0079" in page


def test_the_thoughts_say_what_speaks_against_them(owner, story):
    page = text_of(owner, story)
    for words in ("nobody tries again", "no retry", "against it: once it worked", "by rules"):
        assert words in page, words


def test_the_fix_shows_intent_gate_and_diff(owner, story):
    page = text_of(owner, story)
    for words in ("Fix SILENT_FAILURE for user alice", "a retry around one call", "tree4711"):
        assert words in page, words
    assert '<span class="k-del">-old = 1 &lt; 2</span>' in page
    assert "&quot;requests&quot;: 214" in page


def test_diff_lines_know_their_kind():
    assert [line.kind for line in diff_lines(DIFF)] == ["meta", "meta", "hunk", "del", "add", "same"]


def test_a_running_rollout_can_be_rolled_back_from_here(owner, story):
    release = Release.objects.get()
    assert f"/console/act/kill_release/{release.pk}/" in text_of(owner, story)
    Rollout.objects.update(finished_at=clock.now())
    assert "/console/act/kill_release/" not in text_of(owner, story)


def test_evidence_without_a_mark_is_treated_as_the_worst(incident, monkeypatch):
    from console import incident_view

    pack = {
        "incident": {},
        "reports": [],
        "server_events": [],
        "upstream": [],
        "outcomes": [],
        "session": None,
    }
    monkeypatch.setattr(incident_view, "evidence_for_incident", lambda _: pack)
    assert evidence_pieces(incident.pk)[0].untrusted


def test_the_page_costs_the_same_for_many_reports(owner, story):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            text_of(owner, story)
        return len(seen)

    report_make(story)
    few = queries()
    for _ in range(15):
        report_make(story)
    assert queries() - few <= 15, "one count of recordings a report is the only growth"
    assert few <= 40


def chunk_of(story, blob):
    report = report_make(story)
    Recording.objects.create(report=report, seq=0, last=True, sha256="0" * 64, blob=blob)
    return f"/console/replay/{report.pk}/0/"


def test_a_chunk_is_handed_out_decoded_and_as_a_file(owner, story):
    answer = owner.get(chunk_of(story, gzip.compress(b"[1]")))
    assert answer.content == b"[1]"
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["Content-Type"] == "application/json"


BAD_CHUNKS = {
    "no_gzip": b"no gzip at all",
    "cut": gzip.compress(b"[1]")[:-6],
    "bomb": gzip.compress(b" " * (21 * 1024 * 1024)),
}


@pytest.mark.parametrize("case", BAD_CHUNKS)
def test_a_damaged_or_exploding_chunk_is_not_found(owner, story, case):
    assert owner.get(chunk_of(story, BAD_CHUNKS[case])).status_code == 404


def test_the_replay_page_has_its_own_policy(owner, story):
    path = chunk_of(story, b"").rsplit("/", 2)[0] + "/"
    answer = owner.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
