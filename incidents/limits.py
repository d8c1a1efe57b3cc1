"""How much may come in: token buckets, in Redis so that all web processes count together.

When Redis does not answer, each process counts by itself and says so in the log: the limit is then looser
(once per process), and a dead broker neither stops the intake nor opens it wide.
"""

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

WINDOW_S = 300
SOCKET_MESSAGES_PER_S = 20
SOCKET_BYTES_PER_S = 256 * 1024
HELLO_S = 10.0  # the first frame must have come by then
SOCKETS_PER_ADDRESS = 200
SOCKETS_PER_SESSION = 10  # tabs of one browser share a visit
BAD_FRAMES = 20  # of one socket: then it is closed
FAST_FRAMES = 200  # refused as too fast: an SDK that honours retry_after never has so many
REPORT_BODY = 1024 * 1024  # of the HTTP fallback
COMPLAIN_EVERY_S = 60.0
LOCAL_KEYS = 10_000


@dataclass(frozen=True)
class Bucket:
    """`size` tokens at most, refilled with `rate` per second. `key` says whose bucket it is."""

    key: str
    size: float
    rate: float


def per_window(key: str, count: int) -> Bucket:
    """`count` in five minutes, all of them at once if need be."""
    return Bucket(key, count, count / WINDOW_S)


# Takes one token from each bucket or, when one is empty, from none; answers the seconds to wait (0: taken).
# Redis's own clock: those of several web machines differ.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local levels, wait = {}, 0
for i, key in ipairs(KEYS) do
  local size, rate = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local stored = redis.call('HMGET', key, 'level', 'at')
  local level = math.min(size, (tonumber(stored[1]) or size) + (now - (tonumber(stored[2]) or now)) * rate)
  levels[i] = level
  if level < 1 then wait = math.max(wait, (1 - level) / rate) end
end
if wait > 0 then return tostring(wait) end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'level', tostring(levels[i] - 1), 'at', tostring(now))
  redis.call('EXPIRE', key, math.ceil(tonumber(ARGV[2 * i - 1]) / tonumber(ARGV[2 * i])) + 60)
end
return '0'
"""


def take(*buckets: Bucket) -> float:
    """Takes one token from every bucket, or none. Returns 0, or the seconds until it is worth trying."""
    global _complained_at
    try:
        client, script = _redis()
        keys = [f"kriptik:limit:{b.key}" for b in buckets]
        arguments = [number for b in buckets for number in (b.size, b.rate)]
        return float(script(keys=keys, args=arguments, client=client))
    except redis.RedisError as error:
        if time.monotonic() - _complained_at > COMPLAIN_EVERY_S:
            _complained_at = time.monotonic()
            logger.error("Redis does not answer; this process counts its limits alone: %s", error)
        return LOCAL.take(*buckets)


_complained_at = -COMPLAIN_EVERY_S


@cache
def _redis() -> tuple["redis.Redis", "redis.commands.core.Script"]:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
    return client, client.register_script(_TAKE)


class LocalBuckets:
    """The same in this process; the least recently used buckets are forgotten (they would be full again)."""

    def __init__(self) -> None:
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, *buckets: Bucket, cost: float = 1.0) -> float:
        with self._lock:
            now = time.monotonic()
            levels = [self._level(bucket, now) for bucket in buckets]
            waits = [
                (cost - level) / b.rate for b, level in zip(buckets, levels, strict=True) if level < cost
            ]
            if waits:
                return max(waits)
            for bucket, level in zip(buckets, levels, strict=True):
                self._levels[bucket.key] = (level - cost, now)
                self._levels.move_to_end(bucket.key)
            while len(self._levels) > LOCAL_KEYS:
                self._levels.popitem(last=False)
            return 0.0

    def _level(self, bucket: Bucket, now: float) -> float:
        level, at = self._levels.get(bucket.key, (bucket.size, now))
        return min(bucket.size, level + (now - at) * bucket.rate)


LOCAL = LocalBuckets()


class SocketMeter:
    """The limits of one socket: messages and bytes. In the process that holds the socket, so local."""

    def __init__(self) -> None:
        self._buckets = LocalBuckets()
        # An SDK that reconnects sends all that it kept: up to 60 frames, among them a whole recording.
        self._messages = Bucket("messages", 6 * SOCKET_MESSAGES_PER_S, SOCKET_MESSAGES_PER_S)
        self._bytes = Bucket("bytes", 24 * SOCKET_BYTES_PER_S, SOCKET_BYTES_PER_S)

    def take(self, size: int) -> float:
        """Seconds to wait, 0 when a message of `size` bytes may come now."""
        return self._buckets.take(self._messages) or self._buckets.take(self._bytes, cost=size)


class OpenSockets:
    """How many sockets an address or a visit holds open in this process."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def enter(self, key: str, most: int) -> bool:
        if self._open.get(key, 0) >= most:
            return False
        self._open[key] = self._open.get(key, 0) + 1
        return True

    def total(self) -> int:
        return sum(self._open.values())

    def leave(self, key: str) -> None:
        left = self._open.get(key, 0) - 1
        if left > 0:
            self._open[key] = left
        else:
            self._open.pop(key, None)


OPEN_SOCKETS = OpenSockets()
