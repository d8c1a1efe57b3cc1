/**
 * The fallback where sockets don't pass: the same frames as one JSON body. Sent as text/plain, so that no preflight is
 * needed and the same form serves sendBeacon.
 */
import { BEACON_MAX } from "../constants";
import type { ClientFrame, Hello, ServerError, ServerFrame, Welcome } from "../types";

export class RateLimited extends Error {
  constructor(readonly retryAfterS: number) {
    super("rate limited");
  }
}
/** Trying again cannot help: wrong key, wrong origin. */
export class Refused extends Error {}

interface Answer { welcome?: Welcome; replies?: ServerFrame[] }

const bodyOf = (hello: Hello, frames: ClientFrame[]): string => JSON.stringify({ hello, frames });

export async function httpSend(post: typeof fetch, url: string, hello: Hello, frames: ClientFrame[]): Promise<ServerFrame[]> {
  const response = await post.call(window, url, {
    method: "POST", body: bodyOf(hello, frames), headers: { "content-type": "text/plain;charset=UTF-8" }, credentials: "omit",
  });
  if (response.status === 429) throw new RateLimited(Number(response.headers.get("retry-after")) || 5);
  if (response.status === 401 || response.status === 403) throw new Refused(String(response.status));
  if (!response.ok) throw new Error(`intake answered ${response.status}`);
  const answer = (await response.json()) as Answer;
  return [...(answer.welcome ? [answer.welcome] : []), ...(answer.replies ?? [])];
}

/** On leaving: as many frames as a beacon holds, oldest first. False when the browser took none. */
export function beaconSend(url: string, hello: Hello, frames: ClientFrame[]): boolean {
  let fitting = frames;
  while (fitting.length && bodyOf(hello, fitting).length > BEACON_MAX) fitting = fitting.slice(0, -1);
  return fitting.length > 0 && navigator.sendBeacon(url, bodyOf(hello, fitting));
}

export const isServerError = (frame: ServerFrame): frame is ServerError => frame.type === "error";
