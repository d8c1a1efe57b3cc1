"""Reads the gateway's log socket into request records, and severs what a lapsed lease left open.

It runs in a process of its own (`manage.py gateway_log`). The gateway itself ends a lapsed membership for
new requests; open sockets it would leave alone, and the controller that should close them is the one that
may be dead, so that is done here.
"""

import contextlib
import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.db import DatabaseError, close_old_connections

from core import clock
from flags import limits
from flags.evidence import GATEWAY_LOG
from flags.gateway.haproxy import HAProxyGateway, short_path
from flags.gateway.haproxy_config import LOG_SOCKET
from flags.gateway.protocol import STABLE, Gateway, GatewayDown
from flags.gateway.records import LoggedRequest, parse
from flags.models import Heartbeat, Release, RequestRecord
from flags.selectors import serving_host_id

logger = logging.getLogger(__name__)

FLUSH_S = 0.25
CHORES_S = 1.0
SWEEP_S = 60.0
_BUFFER = 20_000  # lines that wait for a database that is away; beyond that the oldest go
_LINE = 16_384


class LogReader:
    """One reader of one gateway's socket."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.folder, self.gateway = folder, gateway
        self._waiting: deque[tuple[LoggedRequest, float]] = deque(maxlen=_BUFFER)
        self._stable_second, self._stable_count = 0, 0
        self._chores_at = self._sweep_at = 0.0
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._log.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._log.settimeout(FLUSH_S)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG_SOCKET).unlink(missing_ok=True)
        with short_path(folder / LOG_SOCKET) as name:
            self._log.bind(name)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Reads until told to stop, whatever becomes of the database or the gateway meanwhile."""
        while not stopping():
            self.step()
        self.close()

    def close(self) -> None:
        self._log.close()

    def step(self) -> None:
        """Takes what comes within FLUSH_S, stores it, and once a second does the chores."""
        self._read()
        self._flush()
        if time.monotonic() >= self._chores_at:
            self._chores_at = time.monotonic() + CHORES_S
            self._sever_lapsed()
            self._sweep()

    def _read(self) -> None:
        until = time.monotonic() + FLUSH_S
        while time.monotonic() < until:
            try:
                line = self._log.recv(_LINE)
            except TimeoutError:
                return
            request = parse(line)
            if request is not None and self._is_kept(request):
                self._waiting.append((request, time.time()))

    def _is_kept(self, request: LoggedRequest) -> bool:
        if request.release != STABLE:
            return True
        second = int(time.time())
        if second != self._stable_second:
            self._stable_second, self._stable_count = second, 0
        self._stable_count += 1
        return self._stable_count <= limits.STABLE_RECORDS_PER_S

    def _flush(self) -> None:
        """Stores what waits and says that we live; both or neither, so a beat means that records arrive."""
        batch = list(self._waiting)
        try:
            close_old_connections()
            host_id = serving_host_id()
            named = Release.objects.filter(pk__in={r.release for r, _ in batch})
            known = set(named.values_list("pk", flat=True))
            if host_id is not None:
                RequestRecord.objects.bulk_create(
                    _row(host_id, r, at) for r, at in batch if r.release == STABLE or r.release in known
                )
            Heartbeat.objects.update_or_create(name=GATEWAY_LOG, defaults={"at": clock.now()})
        except DatabaseError:
            logger.exception("%d request records wait for the database", len(batch))
            return
        for _ in batch:
            self._waiting.popleft()

    def _sever_lapsed(self) -> None:
        with contextlib.suppress(GatewayDown):  # then there is nothing open either
            for release, routed in self.gateway.observed().releases.items():
                if routed.lease_left_s <= 0 and routed.sessions:
                    closed = self.gateway.sever(release)
                    logger.warning("the lease of %s lapsed: %d connections closed", release, closed)

    def _sweep(self) -> None:
        if time.monotonic() < self._sweep_at:
            return
        self._sweep_at = time.monotonic() + SWEEP_S
        old = clock.now() - timedelta(seconds=limits.RECORDS_KEEP_S)
        with contextlib.suppress(DatabaseError):
            RequestRecord.objects.filter(at__lt=old).delete()


def _row(host_id: int, request: LoggedRequest, at: float) -> RequestRecord:
    return RequestRecord(host_id=host_id, at=clock.from_ms(int(at * 1000)), **request.model_dump())


def reader_open(folder: Path, port: int) -> LogReader:
    return LogReader(folder, HAProxyGateway(folder, port))
