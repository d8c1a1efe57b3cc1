"""Output of a command, kept bounded: the head and the tail stay, since a test run's verdict stands at its
end.
"""

from __future__ import annotations


class BoundedOutput:
    """Takes any number of bytes and keeps at most `limit` of them (plus one line that tells how many are
    gone).
    """

    def __init__(self, limit: int) -> None:
        self._head_limit = limit // 2
        self._tail_limit = limit - self._head_limit
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        excess = len(self._tail) - self._tail_limit
        if excess > 0:
            self._dropped += excess
            del self._tail[:excess]

    def text(self) -> str:
        gap = f"\n[sandbox] {self._dropped} bytes of output left out\n".encode() if self._dropped else b""
        return (bytes(self._head) + gap + bytes(self._tail)).decode("utf-8", "replace")
