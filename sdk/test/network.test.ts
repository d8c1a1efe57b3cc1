import { afterEach, beforeEach, expect, type Mock, test, vi } from "vitest";
import { isErrorBody, networkWatch, type Settled, type Started } from "../src/capture/network";

let started: Started[];
let ended: Settled[];
let stop: () => void;
let real: Mock<(...args: unknown[]) => Promise<Response>>;
let own: typeof window.fetch;
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

beforeEach(() => {
  started = [];
  ended = [];
  real = vi.fn<(...args: unknown[]) => Promise<Response>>();
  own = function fetch(...args: unknown[]) { return real(...args); } as typeof window.fetch;
  window.fetch = own;
  stop = networkWatch({
    now: () => 0, ours: (url) => url.pathname.startsWith("/sdk/"),
    started: (request) => {
      started.push(request);
      return { headers: { "x-kriptik-action": "a7", "sentry-trace": "t" }, settled: (end) => ended.push(end) };
    },
  });
});
afterEach(() => stop());

test("the page gets the very response; an unread body is still its own", async () => {
  const response = new Response(JSON.stringify({ error: "no" }), { status: 500, headers: { "content-type": "application/json" } });
  real.mockResolvedValue(response);
  expect(await fetch("/api/x", { method: "POST", body: "{\"a\":1}" })).toBe(response);
  expect(await response.json()).toEqual({ error: "no" });
  await settle();
  expect(started).toEqual([{ method: "POST", path: "/api/x", sameOrigin: true, bodyShape: "{a:num}" }]);
  expect(ended[0]).toMatchObject({ status: 500, excerpt: '{"error":"no"}', errorBody: true });
});

test("the page gets the very error", async () => {
  const error = new TypeError("offline");
  real.mockRejectedValue(error);
  await expect(fetch("/api/x")).rejects.toBe(error);
  expect(ended[0]).toMatchObject({ status: 0, aborted: false });
});

test("headers of ours join the page's, which win; other origins get none", async () => {
  real.mockResolvedValue(new Response("ok"));
  await fetch("/api/x", { headers: { "x-own": "1", "sentry-trace": "own" } });
  const [, init] = real.mock.calls[0] as [string, RequestInit];
  expect(Object.fromEntries(new Headers(init.headers))).toEqual({ "x-own": "1", "sentry-trace": "own", "x-kriptik-action": "a7" });
  await fetch("https://elsewhere.test/x", { headers: { a: "b" } });
  expect(real.mock.calls[1]).toEqual(["https://elsewhere.test/x", { headers: { a: "b" } }]);
});

test("our own requests and other people's analytics are not watched", async () => {
  real.mockResolvedValue(new Response("ok"));
  await fetch("/sdk/v1/reports");
  await fetch("https://www.google-analytics.com/g/collect");
  expect(started).toEqual([]);
});

test("fetch keeps its name and source, and is the page's own again after stop", () => {
  expect(window.fetch).not.toBe(own);
  expect(window.fetch.name).toBe("fetch");
  expect(String(window.fetch)).toBe(String(own));
  stop();
  expect(window.fetch).toBe(own);
});

test("a page that patched fetch after us keeps its patch when we stop", async () => {
  const ours = window.fetch;
  const theirs = ((...args: Parameters<typeof fetch>) => ours(...args)) as typeof fetch;
  window.fetch = theirs;
  stop();
  expect(window.fetch).toBe(theirs);
  real.mockResolvedValue(new Response("ok"));
  await fetch("/api/x");
  expect(started).toEqual([]);
});

test.each([
  [{ error: "x" }, true], [{ error: { code: 1 } }, true], [{ errors: [{}] }, true], [{ ok: false }, true], [{ success: false }, true],
  [{ status: "error" }, true], [{ error: null }, false], [{ error: "" }, false], [{ errors: [] }, false], [{ ok: true }, false],
  [{ status: "active" }, false], [[{ error: 1 }], false], [null, false], ["error", false],
])("%j is an error body: %s", (body, bad) => expect(isErrorBody(body)).toBe(bad));
