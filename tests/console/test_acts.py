"""What the owner can do: with a fresh code, bound to what was shown, and never without a trace."""

import socket
from datetime import timedelta

import pytest
from channels.layers import channel_layers

from console.models import AuditEntry, OwnerSession
from core import clock
from flags.models import KillSwitch, Release, Rollout
from healing.models import Fix, HealRun, RunTransition
from incidents.models import Host, IncidentTransition
from tests.console.conftest import report_make, token_of

pytestmark = pytest.mark.django_db
TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def stale():
    OwnerSession.objects.update(verified_at=clock.now() - timedelta(minutes=6))


@pytest.fixture
def awaiting(host, incident):
    run = HealRun.objects.create(
        host=host, incident=incident, phase="awaiting_owner", remedy={"kind": "code", "rung": "offline"}
    )
    fix = Fix.objects.create(
        run=run,
        base_commit="1" * 40,
        commit="2" * 40,
        ref="refs/kriptik/fix/x",
        tree_hash=TREE,
        diff="+one line",
        template="retry",
        intent={},
        intent_hash="x",
        paths=["forge/app.py"],
    )
    HealRun.objects.filter(pk=run.pk).update(fix=fix)
    return fix


def act(client, name, subject, **data):
    return client.post(f"/console/act/{name}/{subject}/", data, follow=True)


def test_dismissing_moves_the_incident_and_names_the_owner(owner, incident):
    answer = act(owner, "dismiss", incident.pk, reason="a test user")
    incident.refresh_from_db()
    assert incident.status == "dismissed"
    assert "Dismissed as a false positive" in answer.content.decode()
    line = IncidentTransition.objects.get(subject=incident)
    assert (line.actor, line.reason) == ("mia@forge.example", "a test user")
    entry = AuditEntry.objects.get(action="act.dismiss")
    assert (entry.actor, entry.subject, entry.detail["reason"]) == (
        "mia@forge.example",
        incident.pk,
        "a test user",
    )


def test_looking_at_the_page_does_nothing(owner, incident):
    assert owner.get(f"/console/act/dismiss/{incident.pk}/").status_code == 200
    incident.refresh_from_db()
    assert incident.status == "detected"


def test_a_stale_code_is_asked_for_and_nothing_happens_without_it(owner, incident):
    stale()
    page = owner.get(f"/console/act/dismiss/{incident.pk}/").content.decode()
    assert 'name="otp_token"' in page
    for token in ("", "000000"):
        answer = act(owner, "dismiss", incident.pk, otp_token=token)
        assert answer.status_code == 403
        incident.refresh_from_db()
        assert incident.status == "detected"
    assert AuditEntry.objects.filter(action="sudo.failed").count() == 1


def test_a_fresh_code_counts_for_five_minutes(owner, mia, incident, settings):
    stale()
    act(owner, "dismiss", incident.pk, otp_token=token_of(mia.email))
    incident.refresh_from_db()
    assert incident.status == "dismissed"
    act(owner, "reopen", incident.pk)
    incident.refresh_from_db()
    assert incident.status == "detected"


def test_ten_wrong_codes_brake_even_the_right_one(owner, mia, incident):
    stale()
    for _ in range(10):
        act(owner, "dismiss", incident.pk, otp_token="000000")
    answer = act(owner, "dismiss", incident.pk, otp_token=token_of(mia.email))
    assert answer.status_code == 403
    assert "Too many failed attempts" in answer.content.decode()


def test_approving_lets_exactly_the_shown_tree_go_on(owner, awaiting):
    page = owner.get(f"/console/act/approve_fix/{awaiting.pk}/").content.decode()
    assert f'name="bound_tree_hash" value="{TREE}"' in page
    act(owner, "approve_fix", awaiting.pk, bound_tree_hash=TREE)
    run = HealRun.objects.get()
    assert run.phase == "rolling_out"
    assert run.approval["tree_hash"] == TREE
    assert run.approval["actor"] == "mia@forge.example"
    assert RunTransition.objects.get(to_phase="rolling_out").actor == "mia@forge.example"


@pytest.mark.parametrize("shown", ["", "0" * 40])
def test_another_tree_than_the_shown_one_is_refused(owner, awaiting, shown):
    answer = act(owner, "approve_fix", awaiting.pk, bound_tree_hash=shown)
    assert HealRun.objects.get().phase == "awaiting_owner"
    assert "look at the diff again" in answer.content.decode()
    assert "refused" in AuditEntry.objects.get(action="act.approve_fix").detail


def test_a_refused_fix_can_not_be_approved(owner, awaiting):
    Fix.objects.update(refused="it touches forge/billing")
    answer = act(owner, "approve_fix", awaiting.pk, bound_tree_hash=TREE)
    assert HealRun.objects.get().phase == "awaiting_owner"
    assert "may never be released" in answer.content.decode()


def test_a_second_click_says_that_it_was_decided(owner, awaiting):
    act(owner, "approve_fix", awaiting.pk, bound_tree_hash=TREE)
    answer = act(owner, "approve_fix", awaiting.pk, bound_tree_hash=TREE)
    assert "meanwhile" in answer.content.decode()


def test_rejecting_ends_the_run(owner, awaiting):
    act(owner, "reject", awaiting.run_id, reason="too risky")
    run = HealRun.objects.get()
    assert run.phase == "rejected"
    assert "too risky" in run.outcome


def test_healing_again_opens_a_run_from_the_latest_report(owner, incident):
    report_make(incident)
    answer = act(owner, "heal", incident.pk)
    run = HealRun.objects.get()
    assert run.incident_id == incident.pk
    assert run.pk in answer.content.decode()


def test_the_kill_switch_stops_and_starts_everything(owner, incident):
    report_make(incident)
    act(owner, "kill_all", "all", reason="drill")
    switch = KillSwitch.objects.get()
    assert (switch.reason, switch.actor) == ("drill", "mia@forge.example")
    home = owner.get("/console/").content.decode()
    assert "Everything is stopped" in home
    assert "drill" in home
    assert "kill switch" in act(owner, "heal", incident.pk).content.decode()
    assert not HealRun.objects.exists()
    act(owner, "resume", "all")
    assert KillSwitch.objects.get().lifted_by == "mia@forge.example"
    assert "All quiet" not in owner.get("/console/").content.decode(), "the incident is still open"


def test_the_kill_switch_asks_for_a_fresh_code_too(owner):
    stale()
    act(owner, "kill_all", "all")
    assert not KillSwitch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_kill_switch_works_with_the_broker_down(owner, settings, host, incident):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [dead]}}
    }
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": dead}
    }
    channel_layers.backends.clear()
    try:
        act(owner, "dismiss", incident.pk)
        act(owner, "kill_all", "all", reason="the broker is gone")
        assert "Everything is stopped" in owner.get("/console/").content.decode()
    finally:
        channel_layers.backends.clear()
    assert KillSwitch.objects.get().reason == "the broker is gone"
    incident.refresh_from_db()
    assert incident.status == "dismissed"


@pytest.fixture
def held(host, incident):
    release = Release.objects.create(
        host=host, kind="candidate", commit="2" * 40, tree_hash=TREE, directory="/nowhere", spec={}
    )
    return Rollout.objects.create(
        host=host, release=release, incident_id=incident.pk, phase="held", held_from="affected_user"
    )


def test_a_held_rollout_goes_on_at_the_owners_word(owner, held):
    act(owner, "approve_rollout", held.pk, bound_tree_hash=TREE)
    held.refresh_from_db()
    assert held.phase == "similar_users"


def test_a_held_rollout_of_another_tree_does_not(owner, held):
    act(owner, "approve_rollout", held.pk, bound_tree_hash="0" * 40)
    held.refresh_from_db()
    assert held.phase == "held"


@pytest.mark.parametrize(
    ("name", "subject"),
    [("dismiss", "inc_nobody"), ("approve_fix", "fix_nobody"), ("kill_release", "rel_x"), ("nothing", "x")],
)
def test_what_does_not_exist_is_not_found(owner, name, subject):
    assert owner.get(f"/console/act/{name}/{subject}/").status_code == 404


def test_a_host_is_changed_only_with_a_fresh_code(owner, mia, host):
    path = f"/console/incidents/host/{host.pk}/change/"
    stale()
    asked = owner.get(path)
    assert asked.headers["Location"].startswith("/console/sudo/?next=")
    assert owner.post(path, {"autonomy": "auto"}).status_code == 302
    assert Host.objects.get().autonomy == "propose"
    passed = owner.post(asked.headers["Location"], {"otp_token": token_of(mia.email)})
    assert passed.headers["Location"] == path
    assert owner.get(path).status_code == 200


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_the_code_page_leads_nowhere_else(owner, to):
    assert owner.get("/console/sudo/", {"next": to}).headers["Location"] == "/console/"


def host_form(host, **changes):
    values = {
        "name": host.name,
        "slug": host.slug,
        "base_url": host.base_url,
        "origins": "",
        "git_dir": "",
        "branch": "main",
        "manifest_toml": "",
        "autonomy": "propose",
    }
    return {**values, **changes}


def test_a_manifest_is_accepted_only_when_it_can_be_read(owner, host):
    path = f"/console/incidents/host/{host.pk}/change/"
    answer = owner.post(path, host_form(host, manifest_toml="[host\nname="))
    assert "not valid TOML" in answer.content.decode()
    assert owner.post(path, host_form(host, autonomy="auto")).status_code == 302
    assert Host.objects.get().autonomy == "auto"
    assert AuditEntry.objects.get(action="host.changed").detail["fields"] == ["autonomy"]


def test_origins_are_lines_and_each_must_be_one(owner, host):
    path = f"/console/incidents/host/{host.pk}/change/"
    answer = owner.post(path, host_form(host, origins="https://app.example/path"))
    assert "scheme and host only" in answer.content.decode()
    owner.post(path, host_form(host, origins="https://App.example/\n\nhttp://127.0.0.1:8700\n"))
    assert Host.objects.get().origins == ["https://app.example", "http://127.0.0.1:8700"]
    assert "https://app.example\nhttp://127.0.0.1:8700" in owner.get(path).content.decode()


def test_origins_are_kept_as_browsers_send_them(owner, host):
    path = f"/console/incidents/host/{host.pk}/change/"
    owner.post(path, host_form(host, origins="https://a.example:443\nhttps://a.example\nhttp://[::1]:80"))
    assert Host.objects.get().origins == ["https://a.example", "http://[::1]"]
    answer = owner.post(path, host_form(host, origins="https://a.example:65536"))
    assert "is not an address" in answer.content.decode()


def test_a_hosts_secret_is_shown_once_and_never_again(owner, host):
    path = f"/console/incidents/host/{host.pk}/change/"
    old = host.secret
    assert old not in owner.get(path).content.decode()
    answer = owner.post(
        "/console/incidents/host/", {"action": "secret_renew", "_selected_action": [host.pk]}, follow=True
    )
    new = Host.objects.get().secret
    assert new != old
    assert new in answer.content.decode()
    assert new not in owner.get(path).content.decode()
    assert new not in str(AuditEntry.objects.get(action="host.secret_renewed").detail)


def test_nothing_can_be_deleted_in_bulk(owner, incident, host):
    for model in ("incidents/incident", "incidents/host", "flags/flag", "console/auditentry"):
        page = owner.get(f"/console/{model}/").content.decode()
        assert 'value="delete_selected"' not in page, model
    owner.post(
        "/console/incidents/host/",
        {"action": "delete_selected", "_selected_action": [host.pk], "post": "yes"},
    )
    assert Host.objects.filter(pk=host.pk).exists()
