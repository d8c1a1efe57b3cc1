"""The feed: versions, and that snapshot and messages in any order end in the same place."""

import asyncio
import threading

import pytest
from channels.layers import get_channel_layer
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from notifications.feed import (
    feed_adopt,
    feed_entry,
    feed_forget,
    feed_publish,
    feed_snapshot,
    group_name,
)
from notifications.messages import Kind, Stage
from notifications.models import FeedEntry

ALICE = "host:1:user:alice"


def state(incident="inc_1", stage=Stage.DETECTED, **values):
    body = {"incident": incident, "stage": stage, "kind": Kind.ERROR, "title": "t", "body": "b", "at": 1}
    return body | values


def publish(topic="inc_1", subject=ALICE, keep=(), **values):
    return feed_publish(subject=subject, topic=topic, state=state(topic, **values), keep=keep)


@pytest.mark.django_db
def test_every_publish_has_the_next_version():
    assert [publish(), publish(), publish(topic="inc_2"), publish()] == [1, 2, 1, 3]


@pytest.mark.django_db
def test_only_the_subject_sees_it():
    publish()
    assert feed_snapshot("host:1:user:mallory") == []
    assert feed_entry("host:1:user:alic", "inc_1") is None
    assert feed_entry(ALICE, "inc_1").version == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [{"stage": "winning"}, {"surprise": 1}, {"title": ""}, {"progress": 2}, {"kind": "BORING"}]
)
def test_a_state_that_the_browser_would_not_understand_is_our_bug(wrong):
    with pytest.raises(ValidationError):
        publish(**wrong)
    assert not FeedEntry.objects.exists()


@pytest.mark.django_db
def test_a_kept_field_outlives_the_message_that_brought_it():
    cookie = {"cookie": "kriptik_release", "token": "t" * 32}
    publish(release=cookie)
    publish(keep=("release",))
    assert feed_entry(ALICE, "inc_1").wire()["release"] == cookie
    publish(release=None)
    publish(keep=("release",))
    assert feed_entry(ALICE, "inc_1").wire()["release"] is None, "taken away is known, too"


@pytest.mark.django_db
def test_the_snapshot_holds_the_newest_and_ends_with_the_last_change():
    for number in range(25):
        publish(topic=f"inc_{number}")
    publish(topic="inc_7", stage=Stage.FIXING)
    snapshot = feed_snapshot(ALICE)
    assert len(snapshot) == 20
    assert (snapshot[-1].incident, snapshot[-1].stage) == ("inc_7", Stage.FIXING)


@pytest.mark.django_db
def test_adopted_entries_are_newer_than_what_either_page_shows():
    visitor = "host:1:session:ses_1"
    for _ in range(5):
        publish(subject=visitor)
    publish()
    publish(subject=visitor, topic="inc_2")
    assert feed_adopt(old=visitor, new=ALICE) == 2
    assert {s.incident: s.version for s in feed_snapshot(ALICE)} == {"inc_1": 6, "inc_2": 2}
    assert feed_snapshot(visitor) == []


@pytest.mark.django_db
def test_forgetting_needs_a_name():
    publish()
    publish(subject="host:1:user:bob")
    with pytest.raises(ValueError, match="subject or a topic"):
        feed_forget()
    assert feed_forget(subject=ALICE) == 1
    assert feed_snapshot("host:1:user:bob")


@pytest.mark.django_db(transaction=True)
def test_two_publishers_at_once_never_give_out_the_same_version():
    versions = []

    def work():
        try:
            versions.extend(publish() for _ in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 41))


@pytest.mark.django_db(transaction=True)
async def test_the_subjects_sockets_are_woken_after_the_commit():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group_name(ALICE), channel)
    await asyncio.to_thread(lambda: (publish(), connection.close()))
    wake = await asyncio.wait_for(layer.receive(channel), 5)
    assert wake == {"type": "feed.wake", "subject": ALICE, "topic": "inc_1", "version": 1}


@pytest.mark.django_db
def test_a_dead_broker_does_not_undo_what_was_committed(
    monkeypatch, django_capture_on_commit_callbacks, caplog
):
    class Dead:
        async def group_send(self, *_):
            raise ConnectionError("no broker")

    monkeypatch.setattr("notifications.feed.get_channel_layer", Dead)
    with django_capture_on_commit_callbacks(execute=True):
        publish()
    assert feed_entry(ALICE, "inc_1").version == 1
    assert "could not wake" in caplog.text


def test_group_names_are_safe_whatever_a_user_is_called():
    names = {group_name(f"host:1:user:{name}") for name in ("alice", "ALICE", "ü/%\n" * 50, "a b", "")}
    assert len(names) == 5
    assert all(len(name) < 100 and name.replace(".", "").isalnum() for name in names)


# The client's rule (docs/protocol.md): the higher version of an incident wins, an equal or lower is ignored.
def apply(seen, message):
    known = seen.get(message.incident)
    if known is None or message.version > known.version:
        seen[message.incident] = message


changes = st.lists(
    st.tuples(st.sampled_from(["inc_1", "inc_2", "inc_3"]), st.sampled_from(Stage)), max_size=12
)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=changes, after=changes, data=st.data())
def test_snapshot_and_messages_in_any_order_end_as_a_fresh_snapshot(before, after, data):
    FeedEntry.objects.all().delete()
    for topic, stage in before:
        publish(topic=topic, stage=stage)
    snapshot = feed_snapshot(ALICE)
    messages = []
    for topic, stage in after:
        publish(topic=topic, stage=stage)
        messages.append(feed_entry(ALICE, topic))
    # Late, doubled, reordered, and the snapshot somewhere between them; a lost message is made good by the
    # next of its incident, so the last of each must arrive.
    last = {m.incident: m for m in messages}
    kept = [m for m in messages if data.draw(st.booleans())] + list(last.values())
    doubled = kept + [m for m in kept if data.draw(st.booleans())]
    order = data.draw(st.permutations([*doubled, snapshot]))
    seen = {}
    for item in order:
        for message in item if isinstance(item, list) else [item]:
            apply(seen, message)
    assert seen == {s.incident: s for s in feed_snapshot(ALICE)}
