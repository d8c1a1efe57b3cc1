"""The payment provider: `python -m forge_services.payments --port N`.

POST /v1/checkout {"amount", "currency", "metadata", "webhook_url"} -> the purchase; webhook later.
GET  /v1/purchases/{id} -> the purchase, to the key that made it.
POST /v1/_queue {"delay": seconds}: how far the webhook queue is behind from now on.
Webhooks come at least once: {"id", "type": "purchase.paid", "purchase": id}, again when the answer isn't 2xx.
"""

import secrets
import threading
import time
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests
from forge_services.server import Answer, Call, Route, failure, port_parser, server_create, server_run

WEBHOOK_DELAY_S = 1.5
RETRY_DELAYS_S = (1.0, 4.0)
MAX_DELAY_S = 600


class Payments:
    """Purchases in memory, and the queue of webhooks."""

    def __init__(self, webhook_delay_s: float) -> None:
        self.delay_s = webhook_delay_s
        self._purchases: dict[str, dict[str, Any]] = {}

    def checkout(self, call: Call) -> Answer:
        amount, metadata, url = (call.body.get(name) for name in ("amount", "metadata", "webhook_url"))
        if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
            return failure(400, "invalid_request", "'amount' must be a positive number of cents.")
        if not isinstance(metadata, dict):
            return failure(400, "invalid_request", "'metadata' must be an object.")
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
            return failure(400, "invalid_request", "'webhook_url' must be an http(s) address.")
        purchase = {
            "id": "pay_" + secrets.token_hex(8),
            "status": "paid",
            "amount": amount,
            "currency": str(call.body.get("currency", "eur")),
            "metadata": metadata,
            "created": int(time.time()),
        }
        self._purchases[purchase["id"]] = {**purchase, "key": call.key}
        webhook = threading.Thread(target=self._deliver, args=(url, purchase["id"]), daemon=True)
        webhook.start()
        if self.delay_s == 0:
            # A queue that isn't behind at all delivers before the caller has our answer.
            webhook.join(timeout=2)
        return Answer(201, purchase)

    def purchase(self, call: Call) -> Answer:
        known = self._purchases.get(call.parts[0])
        if known is None or known["key"] != call.key:
            return failure(404, "not_found", "There is no such purchase.")
        return Answer(200, {name: value for name, value in known.items() if name != "key"})

    def queue(self, call: Call) -> Answer:
        delay = call.body.get("delay")
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= MAX_DELAY_S:
            return failure(400, "invalid_request", f"'delay' must be 0 to {MAX_DELAY_S} seconds.")
        self.delay_s = delay
        return Answer(200, {"delay": delay})

    def _deliver(self, url: str, purchase_id: str) -> None:
        event = {"id": "evt_" + secrets.token_hex(8), "type": "purchase.paid", "purchase": purchase_id}
        for delay in (self.delay_s, *RETRY_DELAYS_S):
            time.sleep(delay)
            try:
                if requests.post(url, json=event, timeout=10, allow_redirects=False).ok:
                    return
            except requests.RequestException:
                continue


def payments_server(
    port: int, *, host: str = "127.0.0.1", webhook_delay_s: float = WEBHOOK_DELAY_S
) -> ThreadingHTTPServer:
    payments = Payments(webhook_delay_s)
    routes: list[Route] = [
        ("POST", "/v1/checkout", payments.checkout),
        ("GET", "/v1/purchases/([a-z0-9_]+)", payments.purchase),
        ("POST", "/v1/_queue", payments.queue),
    ]
    return server_create(port, routes, host=host)


def main() -> None:
    parser = port_parser(__doc__)
    parser.add_argument("--webhook-delay", type=float, default=WEBHOOK_DELAY_S)
    args = parser.parse_args()
    server_run(payments_server(args.port, host=args.host, webhook_delay_s=args.webhook_delay))


if __name__ == "__main__":
    main()
