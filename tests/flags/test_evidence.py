"""What counts as seen: the log's records, the host's errors, verified users' reports, and whose they are."""

import json
from datetime import timedelta

import pytest
import time_machine

from core import clock
from flags.cohorts import Person, browser_of, choose, cohort_choose
from flags.evidence import Tally, baseline_of, frames_touch, gather, tally_add
from flags.gateway.records import parse
from flags.models import Assignment, Flag, Heartbeat, Release, RequestRecord, Rollout
from flags.phases import ReleasePhase, RolloutPhase
from flags.services import assignment_make, member_digest
from incidents.models import Host, Incident, Report, ServerEvent, Session

pytestmark = pytest.mark.django_db
TRACE, OTHER_TRACE = "a" * 32, "b" * 32


def line(**changes):
    facts = {
        "slot": "candidate1",
        "server": "app",
        "release": "rel_a",
        "status": 200,
        "tr": 12,
        "ta": 40,
        "retries": "0",
        "method": "GET",
        "path": "/apps/42/files/9f8b7c6d5e4f3a2b1c0d",
        "member": "A" * 40,
        "page": "1",
        "trace": TRACE,
    }
    return json.dumps(facts | changes).encode() + b"\n"


# --- The gateway's log -------------------------------------------------------------------------------------


def test_a_line_becomes_a_record_without_ids():
    record = parse(line())
    assert (record.release, record.route, record.status, record.ms) == (
        "rel_a",
        "/apps/:id/files/:id",
        200,
        12,
    )
    assert (record.member, record.page, record.masked, record.trace) == ("a" * 40, True, False, TRACE)


def test_a_candidates_failure_that_stable_made_good_is_the_candidates():
    record = parse(line(server="fallback", retries="+1"))
    assert record.release == "rel_a" and record.masked


def test_what_stable_answered_because_the_candidate_was_taken_away_is_stables():
    record = parse(line(server="fallback", retries="0"))
    assert record.release == "stable" and not record.masked and record.member == ""


def test_stable_lines_name_no_member_and_a_lost_client_has_no_time():
    record = parse(line(slot="stable", release="stable", tr=-1, status=-1))
    assert (record.release, record.member, record.status, record.ms) == ("stable", "", 0, 40)


@pytest.mark.parametrize(
    "raw", [b"Server candidate1/app is DOWN.\n", b"", b"{broken", b'{"slot": "stable"}', line(extra="x")]
)
def test_what_is_no_request_is_passed_over(raw):
    assert parse(raw) is None


def test_headers_can_not_smuggle_words_into_a_record():
    record = parse(line(trace="x" * 32, method="BREW"))
    assert record.trace == "" and record.method == "OTHER"


# --- The tally ---------------------------------------------------------------------------------------------


@pytest.fixture
def host():
    return Host.objects.create(name="Forge", slug="forge", base_url="http://127.0.0.1:9")


@pytest.fixture
def incident(host):
    return Incident.objects.create(
        host=host,
        fingerprint="v1:old",
        kind="ERROR",
        severity="P1",
        title="t",
        subject=subject(host, "alice"),
    )


@pytest.fixture
def rollout(host, incident):
    release = Release.objects.create(
        host=host, kind="candidate", commit="c", directory="/x", spec="{}", phase=ReleasePhase.READY
    )
    flag = Flag(name="fix_x")
    flag.save()
    Heartbeat.objects.create(name="gateway_log")
    return Rollout.objects.create(
        host=host,
        release=release,
        flag=flag,
        incident_id=incident.pk,
        fingerprint=incident.fingerprint,
        affected_subject=subject(host, "alice"),
        phase=RolloutPhase.AFFECTED_USER,
        touched_paths=["forge/generate.py"],
        touched_routes=["/api/generate"],
    )


def subject(host, user):
    return f"host:{host.pk}:user:{user}"


def record(rollout, release=None, **fields):
    facts = {"method": "GET", "route": "/api/generate", "status": 200, "ms": 10} | fields
    return RequestRecord.objects.create(host=rollout.host, release=release or rollout.release_id, **facts)


def look(rollout):
    members = list(rollout.assignments.all())
    evidence, tally, cursor = gather(rollout, rollout.release, members)
    rollout.sequential, rollout.cursor = tally.as_json(), cursor
    rollout.save()
    return evidence


def test_every_record_is_counted_once_however_often_it_is_looked_at(rollout):
    record(rollout)
    record(rollout, route="/studio")
    assert (look(rollout).requests, look(rollout).requests) == (2, 2)
    assert look(rollout).touched_requests == 1
    record(rollout)
    assert look(rollout).requests == 3


def test_a_new_phase_counts_anew_but_the_test_goes_on(rollout):
    record(rollout, status=500, member="m")
    assert look(rollout).server_errors == {"/api/generate": 1}
    rollout.phase = RolloutPhase.SIMILAR_USERS
    evidence = look(rollout)
    assert evidence.requests == 0 and evidence.server_errors == {}
    assert evidence.errors.canary_bad == 1


def test_one_user_can_not_fill_a_look(rollout):
    for _ in range(30):
        record(rollout, member="m" * 40)
    record(rollout, member="n" * 40)
    assert look(rollout).requests == 11


def test_control_is_dealt_to_the_candidates_requests(rollout):
    for number in range(40):
        record(rollout, release="stable", status=500 if number == 0 else 200)
    for number in range(4):
        record(rollout, member=str(number))
    errors = look(rollout).errors
    assert (errors.canary, errors.control) == (4, 36), "nine to one"


def test_slow_is_slower_than_stables_p95_of_the_same_route(rollout):
    rollout.baseline = {"/api/generate": 100}
    record(rollout, ms=500)
    record(rollout, ms=50, member="b")
    record(rollout, ms=9000, route="/unmeasured", member="c")
    record(rollout, release="stable", ms=20)
    slow = look(rollout).slow
    assert (slow.canary_bad, slow.canary, slow.control_bad) == (1, 2, 0)


def test_the_baseline_wants_enough_requests(rollout):
    for ms in range(1, 21):
        record(rollout, release="stable", ms=ms)
    record(rollout, release="stable", route="/rare", ms=9)
    assert baseline_of(rollout.host_id) == {"/api/generate": 19}


def test_the_tally_survives_storage(rollout):
    tally = Tally(phase="affected_user")
    tally_add(tally, [record(rollout, status=500, member="m")], rollout, rollout.release_id)
    assert Tally.from_json(json.loads(json.dumps(tally.as_json())), "affected_user") == tally


# --- Whose trouble it was ----------------------------------------------------------------------------------


@pytest.fixture
def alice(rollout):
    return assignment_make(rollout, rollout.affected_subject, ["had it"])


def report(rollout, incident, *, user="alice", kind="ERROR", route="/studio", **payload):
    session, _ = Session.objects.get_or_create(
        host=rollout.host, subject=subject(rollout.host, user), user=user, capability_hash=user
    )
    return Report.objects.create(
        host=rollout.host,
        session=session,
        incident=incident,
        client_event_id=str(Report.objects.count()),
        kind=kind,
        route=route,
        subject=session.subject,
        verified=payload.pop("verified", True),
        payload=payload,
        at=clock.now(),
    )


def landed(rollout, alice):
    record(rollout, member=alice.member, page=True, route="/studio")
    look(rollout)
    assert Assignment.objects.get(pk=alice.pk).landed_at is not None


def test_a_report_counts_once_the_users_page_came_from_the_candidate(rollout, incident, alice):
    report(rollout, incident)
    assert look(rollout).recurrences == frozenset()
    landed(rollout, alice)
    report(rollout, incident)
    assert look(rollout).recurrences == {alice.subject}


def test_requests_that_a_report_names_say_for_certain_who_answered(rollout, incident, alice):
    record(rollout, trace=TRACE)
    record(rollout, release="stable", trace=OTHER_TRACE)
    landed(rollout, alice)
    report(rollout, incident, trace_id=OTHER_TRACE)
    assert look(rollout).recurrences == frozenset(), "stable answered it: an old page, or an old report"
    report(rollout, incident, trace_id=TRACE)
    assert look(rollout).recurrences == {alice.subject}


def test_reports_of_others_and_of_the_unverified_do_not_count(rollout, incident, alice):
    landed(rollout, alice)
    report(rollout, incident, user="mallory")
    report(rollout, incident, verified=False)
    report(rollout, incident, kind="UX_CONFUSION")
    assert look(rollout).recurrences == frozenset()


def test_a_new_trouble_on_a_touched_route_counts_and_an_old_one_does_not(rollout, incident, alice, host):
    landed(rollout, alice)
    facts = {"host": host, "kind": "ERROR", "severity": "P2", "title": "t", "subject": alice.subject}
    old = Incident.objects.create(fingerprint="v1:known", first_seen=clock.now() - timedelta(days=1), **facts)
    new = Incident.objects.create(fingerprint="v1:new", **facts)
    report(rollout, old, requests=[{"path": "/api/generate"}])
    report(rollout, new, route="/elsewhere")
    assert look(rollout).new_troubles == {}
    report(rollout, new, requests=[{"path": "/api/generate?x=1"}])
    assert look(rollout).new_troubles == {"v1:new": 1}


def event(rollout, fingerprint, *, release=None, filename="/srv/app/forge/generate.py", **fields):
    return ServerEvent.objects.create(
        host=rollout.host,
        event_id=str(ServerEvent.objects.count()),
        fingerprint=fingerprint,
        release=release or rollout.release_id,
        event={"exceptions": [{"frames": [{"filename": filename}]}]},
        **fields,
    )


def test_a_server_error_in_a_touched_file_that_stable_never_had_counts(rollout):
    event(rollout, "v1:elsewhere", filename="forge/billing.py")
    event(rollout, "v1:spoofed", from_server=False)
    event(rollout, "v1:common", release="stable")
    event(rollout, "v1:common")
    assert look(rollout).new_troubles == {}
    event(rollout, "v1:fresh")
    assert look(rollout).new_troubles == {"v1:fresh": 1}


def test_the_original_fingerprint_in_the_candidates_server_events_is_a_recurrence(rollout):
    event(rollout, rollout.fingerprint, release="stable")
    assert look(rollout).recurrences == frozenset()
    event(rollout, rollout.fingerprint)
    assert look(rollout).recurrences == {"server"}


def test_a_file_is_touched_only_by_its_whole_path():
    frames = {"exceptions": [{"frames": [{"filename": "forge/regenerate.py"}, {"filename": None}]}]}
    assert not frames_touch(frames, ["generate.py", "forge/generate.py"])
    assert frames_touch(frames, ["forge/regenerate.py"])
    assert not frames_touch({}, ["forge/generate.py"])


def test_how_old_the_telemetry_is(rollout):
    assert look(rollout).telemetry_age_s < 5
    with time_machine.travel(clock.now() + timedelta(minutes=1)):
        assert look(rollout).telemetry_age_s > 50
    Heartbeat.objects.all().delete()
    assert look(rollout).telemetry_age_s is None


# --- The cohort --------------------------------------------------------------------------------------------

LIKE = Person("alice", plan="pro", browser="Chrome", locale="en")


def crowd(size, **facts):
    return [LIKE, *(Person(f"u{n}", **facts) for n in range(size - 1))]


def chosen(people, salt="s", **options):
    options = {"routes": {"/studio"}, "kind": "ERROR"} | options
    return choose(people, LIKE, salt=salt, **options)


@pytest.mark.parametrize(("users", "quota"), [(9, 0), (10, 1), (39, 3), (200, 20)])
def test_never_more_than_a_tenth_of_those_seen(users, quota):
    cohort = chosen(crowd(users))
    assert cohort.quota == len(cohort.chosen) == quota


def test_the_most_similar_come_first_and_the_row_says_why():
    people = crowd(20)
    people[7] = Person("twin", plan="pro", browser="Chrome", routes=frozenset({"/studio"}))
    people[9] = Person("cousin", browser="Chrome")
    found = chosen(people).chosen
    assert [c.subject for c in found] == ["twin", "cousin"]
    assert found[0].why == (
        "had trouble on /studio",
        "has the same plan (pro)",
        "uses the same browser (Chrome)",
    )


def test_owners_and_the_affected_user_are_left_out():
    people = [
        *crowd(2),
        *(Person(f"o{n}", role=role) for n, role in enumerate(["Owner", "admin", "staff"] * 3)),
    ]
    assert {c.subject for c in chosen(people).chosen} == {"u0"}


def test_lots_are_drawn_anew_for_each_rollout_and_stay_drawn():
    people = crowd(100)
    first = [c.subject for c in chosen(people, salt="rlt_1").chosen]
    assert [c.subject for c in chosen(people, salt="rlt_1").chosen] == first
    assert [c.subject for c in chosen(people, salt="rlt_2").chosen] != first
    assert chosen(people).chosen[0].why == ("drawn by lot",)


def test_the_cohort_comes_from_verified_users_seen_lately(rollout, incident):
    for number in range(30):
        user = f"u{number}"
        Session.objects.create(
            host=rollout.host, subject=subject(rollout.host, user), user=user, capability_hash=user
        )
    Session.objects.create(host=rollout.host, subject="host:1:session:ses_x", capability_hash="anonymous")
    gone = Session.objects.get(user="u0")
    Session.objects.filter(pk=gone.pk).update(last_seen=clock.now() - timedelta(days=3))
    report(rollout, incident, user="u3", route="/api/generate")
    cohort = cohort_choose(rollout)
    assert (cohort.users, cohort.quota) == (29, 2)
    assert cohort.chosen[0].subject == subject(rollout.host, "u3")


def test_browsers_are_told_apart():
    chrome = "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0 Safari/537.36"
    assert browser_of(chrome) == "Chrome"
    assert browser_of(chrome + " Edg/149.0") == "Edge"
    assert browser_of("Mozilla/5.0 Version/17 Safari/605.1") == "Safari"
    assert browser_of("curl/8") == ""


def test_the_digest_of_a_token_is_what_haproxy_writes():
    assert member_digest("tok" * 8).upper() == "A3AF8AE95281EB53DCFDFC8F2C170DFD9A8AA283"
