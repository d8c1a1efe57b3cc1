"""Reads the gateway's log socket. The supervisor keeps one of these running beside the gateway."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from flags.gateway.haproxy import directory
from flags.gateway.reader import reader_open


class Command(BaseCommand):
    help = "Stores the gateway's request records and closes what a lapsed lease left open, until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        reader_open(directory(settings), settings.GATEWAY_PORT).run(ended.is_set)
