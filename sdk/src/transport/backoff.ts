import { BACKOFF_MAX_MS, BACKOFF_MS } from "../constants";

/**
 * ms to wait before try number `tries` (from 0). Full jitter: after an outage every browser would else come back in the
 * same second, and again together after each refusal.
 */
export function backoff(tries: number, random: () => number = Math.random): number {
  const cap = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(tries, 10));
  return Math.round(cap / 2 + (cap / 2) * random());
}
