"""HAProxy's configuration text. It is written once and never reloaded: what changes, changes at runtime."""

from dataclasses import dataclass

SLOTS = ("candidate1", "candidate2", "candidate3", "candidate4")
TOKENS, EVERYONE, LEASES, RELEASES = "tokens.map", "everyone.map", "leases.map", "releases.map"
MAPS = (TOKENS, EVERYONE, LEASES, RELEASES)
ADMIN_SOCKET, LOG_SOCKET, CONFIG = "admin.sock", "log.sock", "haproxy.cfg"
ALL = "all"  # the one key of the everyone map
NOWHERE = 1  # a port that nothing listens on: of a server that has no release yet

# One JSON object a request, with no address, no query and no header. `member` is a digest of the token.
_LOG_FORMAT = (
    '{"slot":"%b","server":"%s","release":"%[var(txn.release)]","status":%ST,"tr":%Tr,"ta":%Ta,'
    '"retries":"%rc","method":"%HM","path":"%[var(txn.path),json(utf8s)]",'
    '"member":"%[var(txn.member)]","page":"%[var(txn.page)]","trace":"%[var(txn.trace)]"}'
)


@dataclass(frozen=True)
class Ports:
    listen: int
    stable: int


def configuration(ports: Ports, address: str = "127.0.0.1") -> str:
    """The whole file. Its paths are relative (HAProxy gets -C), so none is too long for a socket."""
    return "\n".join(
        [_HEAD, _frontend(ports, address), _stable(ports), *(_slot(s, ports) for s in SLOTS), ""]
    )


_HEAD = f"""\
global
    stats socket unix@{ADMIN_SOCKET} mode 600 level admin
    stats timeout 10s
    log unix@{LOG_SOCKET} len 8192 format raw local0 info
    maxconn 4096
    hard-stop-after 5s

defaults
    mode http
    log global
    timeout connect 500ms
    timeout client 5m
    timeout server 5m
    timeout tunnel 1h
    timeout http-request 15s
    timeout http-keep-alive 15s
    timeout queue 5s
    retries 3
    option redispatch 1
    option forwardfor
"""


def _frontend(ports: Ports, address: str) -> str:
    return f"""\
frontend host
    bind {address}:{ports.listen}
    log-format '{_LOG_FORMAT}'
    # Only we say which release a request goes to.
    http-request del-header X-Kriptik-Release
    http-request set-var(txn.path) path
    # Anything but hex digits becomes nothing, so that no header can break the line's JSON.
    http-request set-var(txn.trace) req.hdr(sentry-trace),field(1,-),regsub([^0-9a-f],,g)
    http-request set-var(txn.page) str(1) if {{ req.hdr(sec-fetch-dest) -m str document }}
    acl tells_dest req.hdr(sec-fetch-dest) -m found
    http-request set-var(txn.page) str(1) if !tells_dest {{ req.hdr(accept) -m sub text/html }}
    http-request set-var(txn.release) str(stable)
    http-request set-var(txn.token) req.cook(kriptik_release)
    http-request set-var(txn.slot) var(txn.token),map_str({TOKENS})
    http-request set-var(txn.member) var(txn.token),sha1,hex if {{ var(txn.slot) -m found }}
    http-request set-var(txn.slot) str({ALL}),map_str({EVERYONE}) if !{{ var(txn.slot) -m found }}
    # The lease is judged here, by the gateway's own clock: a dead controller needs nobody to notice it.
    http-request set-var(txn.now) date()
    http-request set-var(txn.left) var(txn.slot),map_str_int({LEASES},0),sub(txn.now)
    http-request unset-var(txn.slot) if !{{ var(txn.left) -m int gt 0 }}
    http-request set-var(txn.release) var(txn.slot),map_str({RELEASES},stable) if {{ var(txn.slot) -m found }}
    http-request set-header X-Kriptik-Release %[var(txn.release)]
    use_backend %[var(txn.slot)] if {{ var(txn.slot) -m found }}
    default_backend stable
"""


def _stable(ports: Ports) -> str:
    return f"""\
backend stable
    retry-on conn-failure
    http-response set-header X-Kriptik-Release stable
    server app 127.0.0.1:{ports.stable}
"""


def _slot(name: str, ports: Ports) -> str:
    """A candidate's backend: when the candidate fails a request that may be repeated, stable answers it.

    HAProxy takes a backup only when no server is up, so the first refused connection marks the candidate
    down (`observe`), and the retry then goes to the backup instead of to the dead port again. Sessions are
    not shut down with it: the one that is about to be retried would be among them.
    """
    return f"""\
backend {name}
    retry-on conn-failure empty-response 502 503
    http-request disable-l7-retry unless {{ method GET HEAD }}
    http-response set-header X-Kriptik-Release stable
    http-response set-header X-Kriptik-Release %[var(txn.release)] if {{ srv_name app }}
    # Without `linger` each check ends in a reset, which many servers log as an error.
    option tcp-check
    tcp-check connect linger
    server app 127.0.0.1:{NOWHERE} disabled check inter 500ms fall 1 rise 1 \
observe layer4 error-limit 1 on-error mark-down
    server fallback 127.0.0.1:{ports.stable} backup
"""
