"""The model provider: `python -m forge_services.model --port N`.

POST /v1/generate {"prompt"} -> {"id", "title", "steps", "html"}; 429 with Retry-After over the rate.
POST /v1/_traffic {"seconds", "per_second"}: other tenants use the same key (they really take tokens).
"""

import hashlib
import threading
import time
from http.server import ThreadingHTTPServer

from forge_services.bucket import RETRY_AFTER_S, TokenBucket
from forge_services.composer import compose
from forge_services.server import Answer, Call, Route, failure, port_parser, server_create, server_run

CAPACITY = 5
REFILL_PER_S = 3
LATENCY_S = 0.25
MAX_TRAFFIC_S = 120


def model_server(
    port: int,
    *,
    host: str = "127.0.0.1",
    capacity: float = CAPACITY,
    refill: float = REFILL_PER_S,
    latency_s: float = LATENCY_S,
) -> ThreadingHTTPServer:
    bucket = TokenBucket(capacity, refill)

    def generate(call: Call) -> Answer:
        prompt = call.body.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            return failure(400, "invalid_request", "'prompt' must be a non-empty string.")
        if not bucket.take(call.key):
            message = "Rate limit reached for this key. Please try again shortly."
            return failure(429, "rate_limit_exceeded", message, {"Retry-After": str(RETRY_AFTER_S)})
        time.sleep(latency_s)
        identifier = "gen_" + hashlib.sha256(prompt.encode()).hexdigest()[:16]
        return Answer(200, {"id": identifier, **compose(prompt)})

    def traffic(call: Call) -> Answer:
        seconds, rate = call.body.get("seconds"), call.body.get("per_second", 20)
        if not isinstance(seconds, int | float) or not 0 < seconds <= MAX_TRAFFIC_S:
            return failure(400, "invalid_request", f"'seconds' must be between 0 and {MAX_TRAFFIC_S}.")
        if not isinstance(rate, int | float) or not 0 < rate <= 200:
            return failure(400, "invalid_request", "'per_second' must be between 0 and 200.")
        # The burst is on when this call returns: whoever asked for it can rely on it.
        for _ in range(int(capacity + refill) + 1):
            bucket.take(call.key)
        threading.Thread(target=_burst, args=(bucket, call.key, seconds, rate), daemon=True).start()
        return Answer(202, {"seconds": seconds, "per_second": rate})

    routes: list[Route] = [("POST", "/v1/generate", generate), ("POST", "/v1/_traffic", traffic)]
    return server_create(port, routes, host=host)


def _burst(bucket: TokenBucket, key: str, seconds: float, rate: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        bucket.take(key)
        time.sleep(1 / rate)


def main() -> None:
    parser = port_parser(__doc__)
    parser.add_argument("--capacity", type=float, default=CAPACITY)
    parser.add_argument("--refill", type=float, default=REFILL_PER_S)
    parser.add_argument("--latency", type=float, default=LATENCY_S)
    args = parser.parse_args()
    server_run(
        model_server(
            args.port, host=args.host, capacity=args.capacity, refill=args.refill, latency_s=args.latency
        )
    )


if __name__ == "__main__":
    main()
