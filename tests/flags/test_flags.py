"""The flag: kill first, the same answer for the same user, and no change without its line of history."""

import pytest
import waffle
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import transaction
from django.http import Http404, HttpResponse
from django.template import engines
from django.test import RequestFactory
from waffle.decorators import waffle_flag
from waffle.testutils import override_flag

from core import clock
from core.errors import Refused
from flags.models import Flag, FlagHistory, FlagOverride, flag_change

pytestmark = pytest.mark.django_db

ON = {"everyone": True}


def flag(**fields):
    row = Flag(name=fields.pop("name", "new_studio"), **fields)
    row.save()
    return row


def asked_by(user, **query):
    request = RequestFactory().get("/", query)
    request.user = user
    return request


@pytest.fixture
def alice():
    return User.objects.create_user("alice")


@pytest.fixture
def mia():
    return User.objects.create_superuser("mia")


def active(user, name="new_studio", **query):
    return waffle.flag_is_active(asked_by(user, **query), name)


# --- The kill comes first ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{"killed": True}, {"everyone": False}])
def test_a_killed_flag_is_off_on_every_path(alice, how, settings):
    settings.WAFFLE_OVERRIDE = True
    row = flag(percent=100, testing=True, authenticated=True, staff=True, superusers=True, **how)
    row.users.add(alice)
    FlagOverride.objects.create(flag=row, key=f"user:{alice.pk}", active=True, reason="vip", actor="mia")
    assert not active(alice)
    assert not active(alice, new_studio="1", dwft_new_studio="1")
    assert row.is_active_for_user(alice) is False
    assert not row.is_active_for_key(f"user:{alice.pk}")


def test_a_kill_is_seen_at_the_very_next_question(alice):
    row = flag(**ON)
    assert active(alice)
    row.killed = True
    row.save()
    assert not active(alice)
    row.killed = False
    row.save()
    assert active(alice)


def test_a_kill_that_is_not_committed_is_none(alice):
    row = flag(**ON)
    with pytest.raises(RuntimeError), transaction.atomic():
        row.killed = True
        row.save()
        raise RuntimeError
    assert active(alice)
    assert FlagHistory.objects.filter(action="changed").count() == 0


# --- Who gets it ------------------------------------------------------------------------------------------


def test_a_superuser_is_no_guinea_pig_by_default(mia):
    flag(percent=0)
    assert not active(mia)


def test_a_percentage_is_the_same_users_every_time():
    row = flag(percent=30)
    users = [User(pk=n, username=str(n)) for n in range(1, 150)]
    first = [bool(active(user)) for user in users]
    assert [bool(active(user)) for user in users] == first
    assert [bool(row.is_active_for_user(user)) for user in users] == first
    assert [row.is_active_for_key(f"user:{user.pk}") for user in users] == first
    assert 0.2 < sum(first) / len(first) < 0.4


def test_a_growing_percentage_takes_nobody_off():
    row = flag(percent=10)
    users = [User(pk=n, username=str(n)) for n in range(1, 150)]
    before = {user.pk for user in users if active(user)}
    row.percent = 50
    row.save()
    assert before and before < {user.pk for user in users if active(user)}


def test_a_hundred_percent_can_be_said_and_more_can_not(alice):
    row = flag(percent=100)
    assert active(alice)
    row.full_clean()
    row.percent = 101
    with pytest.raises(Exception, match="less than or equal to 100"):
        row.full_clean()


def test_a_visitor_is_on_stable_and_no_cookie_lets_him_in():
    flag(percent=100)
    request = asked_by(AnonymousUser())
    request.COOKIES["dwf_new_studio"] = "True"
    assert not waffle.flag_is_active(request, "new_studio")


def test_no_cookie_is_handed_out(alice):
    flag(percent=50)
    request = asked_by(alice)
    waffle.flag_is_active(request, "new_studio")
    assert not getattr(request, "waffles", {})


def test_one_users_override_is_stronger_than_every_rule_but_ends(alice, mia):
    row = flag(**ON)
    override = FlagOverride.objects.create(
        flag=row, key=f"user:{alice.pk}", active=False, reason="she asked for the old one", actor="mia"
    )
    assert not active(alice) and active(mia)
    assert row.is_active_for_user(alice) is False
    override.expires_at = clock.now()
    override.save()
    assert active(alice)


def test_a_user_of_a_host_is_asked_for_by_key():
    row = flag(percent=0)
    assert not row.is_active_for_key("host:1:user:u1")
    FlagOverride.objects.create(flag=row, key="host:1:user:u1", active=True, reason="r", actor="mia")
    assert row.is_active_for_key("host:1:user:u1")
    assert not row.is_active_for_key(None)


def test_users_and_groups_still_count(alice, mia):
    row = flag()
    row.users.add(alice)
    assert active(alice) and not active(mia)
    group = Group.objects.create(name="early birds")
    row.groups.add(group)
    mia.groups.add(group)
    assert active(mia)


# --- Changes ----------------------------------------------------------------------------------------------


def test_every_change_says_who_and_why_and_what():
    with flag_change(actor="mia", reason="trying it"):
        row = flag(percent=10)
        row.percent = 20
        row.save()
        row.delete()
    lines = list(FlagHistory.objects.values_list("action", "changes", "actor", "reason", "version"))
    assert lines == [
        ("created", {"name": ["", "new_studio"], "percent": [None, "10.0"]}, "mia", "trying it", 0),
        ("changed", {"percent": ["10.0", "20.0"]}, "mia", "trying it", 1),
        ("deleted", {}, "mia", "trying it", 1),
    ]


def test_overrides_and_memberships_are_changes_too(alice):
    row = flag()
    override = FlagOverride.objects.create(
        flag=row, key="user:1", active=True, reason="she asked", actor="mia"
    )
    override.active = False
    override.save()
    override.delete()
    row.users.add(alice)
    alice.flag_set.remove(row)
    row.users.add(alice)
    row.users.clear()
    lines = list(FlagHistory.objects.values_list("action", "changes", "actor"))[1:]
    assert [changes for _, changes, _ in lines] == [
        {"user:1": [None, True], "expires_at": None},
        {"user:1": [True, False], "expires_at": None},
        {"user:1": [False, None], "expires_at": None},
        {"users": {"add": [str(alice.pk)]}},
        {"users": {"remove": [str(alice.pk)]}},
        {"users": {"add": [str(alice.pk)]}},
        {"users": {"clear": []}},
    ]
    assert {(action, actor) for action, _, actor in lines[:3]} == {("override", "mia")}


def test_saving_what_is_the_same_is_no_change():
    row = flag()
    row.save()
    assert FlagHistory.objects.count() == 1


def test_a_change_of_one_field_is_recorded_too():
    row = flag()
    row.everyone = True
    row.save(update_fields=["everyone"])
    row.refresh_from_db()
    assert row.everyone is True and row.version == 1
    assert FlagHistory.objects.last().changes == {"everyone": [None, True]}


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.update(everyone=False),
        lambda rows: rows.delete(),
        lambda rows: rows.bulk_update([], ["everyone"]),
        lambda rows: rows.bulk_create([Flag(name="b")]),
    ],
)
def test_a_change_that_would_leave_no_line_is_refused(change):
    flag()
    with pytest.raises(Refused, match="line of history"):
        change(Flag.objects.all())
    assert Flag.objects.count() == 1


def test_history_is_never_rewritten():
    flag()
    line = FlagHistory.objects.get()
    line.actor = "somebody else"
    with pytest.raises(Refused, match="never changed"):
        line.save()
    with pytest.raises(Refused, match="never deleted"):
        line.delete()


# --- What waffle promises to host code still holds --------------------------------------------------------


def test_waffles_decorator_and_template_tag_ask_our_flag(alice, mia):
    row = flag()
    row.users.add(alice)

    @waffle_flag("new_studio")
    def view(request):
        return HttpResponse("new")

    assert view(asked_by(alice)).content == b"new"
    with pytest.raises(Http404):
        view(asked_by(mia))
    text = "{% load waffle_tags %}{% flag new_studio %}new{% else %}old{% endflag %}"
    template = engines["django"].from_string(text)
    assert template.render(request=asked_by(alice)) == "new"
    assert template.render(request=asked_by(mia)) == "old"


def test_waffles_test_override_works_on_flags_that_are_there_and_that_are_not(alice):
    row = flag(everyone=False)
    with override_flag("new_studio", active=True):
        assert active(alice)
    assert not active(alice)
    with override_flag("unheard_of", active=True):
        assert active(alice, "unheard_of")
    assert not Flag.objects.filter(name="unheard_of").exists()
    assert row.pk


def test_a_flag_that_is_not_there_is_off_and_not_made(alice):
    assert not active(alice, "unheard_of")
    assert not Flag.objects.exists()
