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


class Handler(WSGIRequestHandler):
    """Keep-alive, and one plain log line a request."""

    protocol_version = "HTTP/1.1"

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


if __name__ == "__main__":
    main()
