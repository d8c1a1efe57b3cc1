"""Which processes make up the product on one machine."""

import os
import sys
from collections.abc import Sequence

from django.conf import settings

from flags.gateway import haproxy
from kriptik_ops.embedded import valkey_command
from kriptik_ops.supervisor import Program

HEAL_PROCESSES = 2
SANDBOX_PROCESSES = 2
FAST_PROCESSES = 2
WORKERS = 3  # pools that answer a ping once all is up


def ports() -> dict[str, tuple[str, int]]:
    """Purpose -> (the variable that changes it, number), for every port that we open ourselves."""
    found = {
        "web": ("KRIPTIK_PORT", settings.PORT),
        "gateway": ("KRIPTIK_GATEWAY_PORT", settings.GATEWAY_PORT),
    }
    if "REDIS_URL" not in os.environ:
        found["Valkey"] = ("KRIPTIK_VALKEY_PORT", settings.VALKEY_PORT)
    return found


def programs() -> list[Program]:
    """The embedded broker, the web, the workers, beat and the gateway."""
    manage = str(settings.BASE_DIR / "manage.py")
    python = sys.executable
    found = [
        Program(
            "web",
            [python, "-m", "daphne", "-b", "127.0.0.1", "-p", str(settings.PORT), *_daphne_limits()],
            priority=20,
        ),
        # Three pools, so that no proof in the sandbox, however long, keeps a runbook waiting, and no heal
        # a rollout's tick or a notification.
        Program("worker-heal", _worker("heal", ["heal"], HEAL_PROCESSES), priority=30),
        Program("worker-sandbox", _worker("sandbox", ["sandbox"], SANDBOX_PROCESSES), priority=30),
        Program("worker-fast", _worker("fast", ["ingest", "rollout", "notify", "research"], FAST_PROCESSES)),
        Program("beat", _celery("beat", "--pidfile=", "--loglevel=WARNING"), priority=40),
        Program("gateway", *haproxy.command(settings), priority=10),
        Program("gateway-log", [python, manage, "gateway_log"], priority=15),
    ]
    if "REDIS_URL" not in os.environ:
        valkey = valkey_command(settings.VAR_DIR / "valkey", settings.VALKEY_PORT)
        found.insert(0, Program("valkey", valkey, priority=1))
    return found


def _daphne_limits() -> list[str]:
    # Daphne's default message size is a mebibyte already (4.2.2 on); said here so that it can't drift.
    limits = ["--websocket-max-message-size", "1048576", "--no-server-name"]
    # Off unless asked for: without a proxy the header is the visitor's word, and so would be its quota.
    proxy = ["--proxy-headers"] if settings.PROXY_HEADERS else []
    return [*limits, *proxy, "kriptik_ops.asgi:application"]


def _worker(name: str, queues: Sequence[str], processes: int) -> list[str]:
    return _celery(
        "worker",
        f"--hostname={name}@%h",
        f"--queues={','.join(queues)}",
        f"--concurrency={processes}",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=INFO",
    )


def _celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "kriptik_ops", *arguments]
