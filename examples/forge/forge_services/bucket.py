"""The rate limit of the model provider."""

import threading
import time
from collections.abc import Callable

RETRY_AFTER_S = 1


class TokenBucket:
    """`capacity` requests at once, `refill` a second after that, per key.

    Refused requests count as well, as they do with the large providers: who hammers a limited key stays
    limited. The debt is bounded, so a key is free again about Retry-After seconds after the last of them.
    """

    def __init__(self, capacity: float, refill: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity, self._refill, self._clock = capacity, refill, clock
        self._levels: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> bool:
        with self._lock:
            now = self._clock()
            level, at = self._levels.get(key, (self._capacity, now))
            level = min(self._capacity, level + (now - at) * self._refill)
            granted = level >= 1
            # The floor leaves one whole token after Retry-After seconds of quiet.
            level = max(level - 1, 1 - RETRY_AFTER_S * self._refill)
            self._levels[key] = (level, now)
            return granted
