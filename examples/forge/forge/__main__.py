"""`python -m forge --port N`: a threaded server that ends cleanly on SIGTERM and SIGINT."""

import argparse
import logging
import signal
import sys
import threading

from forge.app import create_app
from forge.config import config_from_env
from forge.telemetry import telemetry_start
from werkzeug.serving import WSGIRequestHandler, make_server

log = logging.getLogger("forge")


DRAIN_S = 20


class InFlight:
    """How many requests are being answered right now."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *_error: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_for_none(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)


in_flight = InFlight()


class Handler(WSGIRequestHandler):
    """Keep-alive, and one plain log line a request."""

    protocol_version = "HTTP/1.1"
    # Longer than a proxy keeps its connections, so that it is the proxy who closes an idle one.
    timeout = 90

    def run_wsgi(self) -> None:
        with in_flight:
            super().run_wsgi()

    def version_string(self) -> str:
        return "Forge"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        logging.getLogger("forge.access").info("%s %s %s", self.command, self.path.split("?")[0], int(code))


def main() -> None:
    parser = argparse.ArgumentParser(prog="forge", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    args = parser.parse_args()
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    telemetry_start()
    server = make_server(
        args.host, args.port, create_app(config_from_env(args.port)), threaded=True, request_handler=Handler
    )

    def stop(_signal: int, _frame: object) -> None:
        # shutdown() waits for the loop that this very thread runs, so another one must call it.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("Forge listens on http://%s:%s", args.host, server.port)
    server.serve_forever()
    server.server_close()
    # Threads end with the process: whoever asked before the end still gets an answer.
    if not in_flight.wait_for_none(DRAIN_S):
        log.warning("ended with requests still in flight")


if __name__ == "__main__":
    main()
