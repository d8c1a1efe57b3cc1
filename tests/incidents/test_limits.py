"""The token buckets: counted together in Redis, alone without it, never wide open."""

import threading
import time

import pytest
import redis

from incidents import limits
from incidents.limits import Bucket, LocalBuckets, OpenSockets, SocketMeter, per_window, take


def bucket(key, size=3.0, rate=0.01):
    return Bucket(f"test:{key}", size, rate)


def test_a_bucket_gives_what_it_holds_then_tells_how_long_to_wait():
    assert [take(bucket("a")) for _ in range(3)] == [0, 0, 0]
    assert 90 < take(bucket("a")) <= 100
    assert take(bucket("b")) == 0, "another's bucket is another"


def test_a_bucket_fills_up_again():
    fast = bucket("fast", 1, 50)
    assert take(fast) == 0
    deadline = time.monotonic() + 5
    while take(fast) and time.monotonic() < deadline:
        pass
    assert time.monotonic() < deadline


def test_a_refusal_by_one_bucket_takes_nothing_from_the_others():
    small, large = bucket("small", 1), bucket("large", 2)
    assert take(small, large) == 0
    assert take(small, large) > 0
    assert take(large) == 0
    assert take(large) > 0


def test_many_at_once_get_no_more_than_there_is():
    taken = []
    threads = [
        threading.Thread(target=lambda: taken.extend(take(bucket("many", 20)) for _ in range(10)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(0) == 20


def test_without_redis_each_process_counts_alone_and_says_so(monkeypatch, caplog):
    def dead():
        raise redis.ConnectionError("no broker")

    monkeypatch.setattr(limits, "_redis", dead)
    monkeypatch.setattr(limits, "LOCAL", LocalBuckets())
    monkeypatch.setattr(limits, "_complained_at", -1e9)
    assert [take(bucket("alone")) for _ in range(3)] == [0, 0, 0]
    assert take(bucket("alone")) > 0
    assert caplog.text.count("counts its limits alone") == 1, "once a minute, not at every report"


def test_forgotten_buckets_are_those_that_are_full_again_anyway(monkeypatch):
    monkeypatch.setattr(limits, "LOCAL_KEYS", 2)
    local = LocalBuckets()
    for key in ("a", "b", "c"):
        local.take(bucket(key))
    assert set(local._levels) == {"test:b", "test:c"}


def test_a_quota_of_the_window():
    assert per_window("x", 300) == Bucket("x", 300, 1.0)


def test_a_socket_may_send_a_whole_recording_at_once_but_not_two():
    meter = SocketMeter()
    sizes = [400_000] * 12
    assert [meter.take(size) for size in sizes] == [0] * 12
    assert any(meter.take(size) for size in sizes)


def test_open_sockets_are_counted_in_and_out():
    sockets = OpenSockets()
    assert [sockets.enter("a", 2) for _ in range(3)] == [True, True, False]
    sockets.leave("a")
    assert sockets.enter("a", 2)
    for _ in range(2):
        sockets.leave("a")
    assert sockets._open == {}


@pytest.mark.parametrize("wait", [0.0001, 3600])
def test_whatever_redis_says_is_seconds(monkeypatch, wait):
    monkeypatch.setattr(limits, "_redis", lambda: (None, lambda **_: str(wait).encode()))
    assert take(bucket("x")) == wait
