"""Other tenants at work: real requests to the model provider with the same key.

`python -m forge_services.model_load --url http://127.0.0.1:8701 --seconds 20`
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests


def load_run(url: str, key: str, seconds: float, per_second: float) -> dict[int, int]:
    """Send for that long; returns how often each status came back."""
    counts: dict[int, int] = {}
    until = time.monotonic() + seconds

    def one(_number: int) -> int:
        body, headers = {"prompt": "A to-do list"}, {"Authorization": f"Bearer {key}"}
        return requests.post(f"{url}/v1/generate", json=body, headers=headers, timeout=10).status_code

    with ThreadPoolExecutor(8) as pool:
        futures = []
        while time.monotonic() < until:
            futures.append(pool.submit(one, len(futures)))
            time.sleep(1 / per_second)
        for future in futures:
            status = future.result()
            counts[status] = counts.get(status, 0) + 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--key", default="forge")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--per-second", type=float, default=20)
    args = parser.parse_args()
    for status, count in sorted(load_run(args.url, args.key, args.seconds, args.per_second).items()):
        sys.stdout.write(f"{status}: {count}\n")


if __name__ == "__main__":
    main()
