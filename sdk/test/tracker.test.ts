import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Acted } from "../src/capture/input";
import { Journey } from "../src/capture/journey";
import type { Finding } from "../src/detect/finding";
import type { Track } from "../src/detect/track";
import { Tracker } from "../src/detect/tracker";

let found: Finding[];
let healthy: Track[];
let tracker: Tracker;
let journey: Journey;

const FAILED = { status: 502, ms: 20, aborted: false, excerpt: null, errorBody: false };
const FINE = { ...FAILED, status: 200 };
const POST = { method: "POST", path: "/api/generate", sameOrigin: true, bodyShape: null };

function click(selector = "button"): void {
  const control = document.querySelector(selector);
  const acted: Acted = {
    action: journey.add("click", null), control, event: new MouseEvent("click"), since: performance.now(),
  };
  tracker.act(acted);
}

const said = (): string[][] => found.map(({ kind, reasons }) => [kind, ...reasons]);

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = "<button>Generate</button><p id=out></p>";
  sessionStorage.clear();
  found = [];
  healthy = [];
  journey = new Journey(() => Date.now());
  tracker = new Tracker({
    now: () => performance.now(), epoch: () => Date.now(), config: () => ({ silent_ms: 2500, slow_ms: 5000, shadow: false, popup: true }),
    flush: () => undefined, found: (finding) => found.push(finding), healthy: (track) => healthy.push(track),
    request: () => undefined, suspected: () => undefined, journeyChanged: () => undefined,
  });
  return () => vi.useRealTimers();
});

describe("nothing answers", () => {
  test("is a silent failure at the limit, not before", () => {
    click();
    vi.advanceTimersByTime(2499);
    expect(found).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(said()).toEqual([["SILENT_FAILURE", "no_visible_response"]]);
  });

  test.each(["navigation", "dialog", "clipboard", "window_open", "media", "dom"])("an effect of kind %s is an answer", (name) => {
    click();
    vi.advanceTimersByTime(50);
    tracker.effect(name);
    vi.advanceTimersByTime(5000);
    expect(found).toEqual([]);
  });

  test("the user's own scroll a second later is no answer", () => {
    click();
    vi.advanceTimersByTime(1000);
    tracker.effect("scroll");
    vi.advanceTimersByTime(2000);
    expect(said()).toEqual([["SILENT_FAILURE", "no_visible_response"]]);
  });

  test("focus within the clicked control itself is no answer", () => {
    click();
    tracker.effect("focus", document.querySelector("button") as Element);
    vi.advanceTimersByTime(3000);
    expect(found).toHaveLength(1);
  });

  test("a menu that opened at the pointerdown has answered", () => {
    tracker.pressed();
    const since = performance.now();
    tracker.changed([{ element: document.querySelector("p") as Element, kind: "attribute", visible: true }]);
    vi.advanceTimersByTime(80);
    tracker.act({ action: journey.add("click", null), control: document.querySelector("button"), event: new MouseEvent("click"), since });
    vi.advanceTimersByTime(5000);
    expect(found).toEqual([]);
  });

  test("a script that fills a field has answered", () => {
    document.body.innerHTML += "<input value=abc>";
    click();
    (document.querySelector("input") as HTMLInputElement).value = "";
    vi.advanceTimersByTime(5000);
    expect(found).toEqual([]);
  });
});

describe("a failed request", () => {
  test("that nobody told of is reported 300 ms after its answer", () => {
    click();
    const ticket = tracker.requestStarted(POST);
    vi.advanceTimersByTime(100);
    ticket.settled(FAILED);
    vi.advanceTimersByTime(299);
    expect(found).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(said()).toEqual([["SILENT_FAILURE", "request_failed", "error_not_shown"]]);
    expect(found[0]?.message).toBe("POST /api/generate answered 502");
  });

  test("that was explained is the page working, when the request was to blame", () => {
    click();
    const ticket = tracker.requestStarted(POST);
    ticket.settled({ ...FAILED, status: 422 });
    const out = document.querySelector("p") as Element;
    out.textContent = "This name is required";
    tracker.changed([{ element: out, kind: "text", visible: true }]);
    vi.advanceTimersByTime(6000);
    expect(found).toEqual([]);
  });

  test("of the server is an error even when it was shown", () => {
    click();
    tracker.requestStarted(POST).settled(FAILED);
    const out = document.querySelector("p") as Element;
    out.textContent = "Something went wrong";
    tracker.changed([{ element: out, kind: "text", visible: true }]);
    vi.advanceTimersByTime(400);
    expect(said()).toEqual([["ERROR", "request_failed", "error_shown"]]);
  });

  test("that the page repeats at once with success is no issue", () => {
    click();
    tracker.requestStarted(POST).settled(FAILED);
    vi.advanceTimersByTime(100);
    tracker.requestStarted(POST).settled(FINE);
    vi.advanceTimersByTime(6000);
    expect(found).toEqual([]);
  });

  test("that the page itself aborted is no issue", () => {
    click();
    tracker.requestStarted(POST).settled({ ...FAILED, status: 0, aborted: true });
    vi.advanceTimersByTime(6000);
    expect(found).toEqual([]);
  });

  test("of the page's own polling belongs to no click", () => {
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(3000);
      tracker.requestStarted({ ...POST, path: "/api/poll" }).settled(FINE);
    }
    click();
    tracker.requestStarted({ ...POST, path: "/api/poll" }).settled(FAILED);
    vi.advanceTimersByTime(1000);
    expect(found).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(said()).toEqual([["SILENT_FAILURE", "no_visible_response"]]);
  });

  test("carries the action's id and trace", () => {
    click();
    const { headers } = tracker.requestStarted(POST);
    expect(headers["x-kriptik-action"]).toBe("a1");
    expect(headers["sentry-trace"]).toMatch(/^[0-9a-f]{32}-[0-9a-f]{16}-1$/);
    expect(headers["baggage"]).toBe(`sentry-trace_id=${headers["sentry-trace"]?.slice(0, 32)}`);
  });
});

describe("the rest", () => {
  test("a 200 that says error is a failure", () => {
    click();
    tracker.requestStarted(POST).settled({ ...FINE, errorBody: true });
    vi.advanceTimersByTime(400);
    expect(said()).toEqual([["SILENT_FAILURE", "error_in_answer", "error_not_shown"]]);
  });

  test("an exception is reported once, whatever follows", () => {
    click();
    tracker.thrown({ type: "TypeError", message: "x", stack: "" }, "uncaught_exception");
    vi.advanceTimersByTime(6000);
    expect(said()).toEqual([["ERROR", "uncaught_exception", "error_not_shown"]]);
  });

  test("an exception without an action is reported quietly", () => {
    tracker.thrown({ type: "TypeError", message: "x", stack: "" }, "uncaught_exception");
    vi.advanceTimersByTime(1000);
    expect(found[0]).toMatchObject({ kind: "ERROR", quiet: true, reasons: ["uncaught_exception", "no_action"] });
  });

  test("a request that stays open is a slow response", () => {
    click();
    vi.advanceTimersByTime(10);
    tracker.requestStarted(POST);
    vi.advanceTimersByTime(5100);
    expect(said()).toEqual([["SLOW_RESPONSE", "request_pending"]]);
  });

  test("an action that worked is told as healthy, with its facts", () => {
    click();
    tracker.requestStarted(POST).settled({ ...FINE, status: 202 });
    tracker.changed([{ element: document.querySelector("p") as Element, kind: "text", visible: true }]);
    vi.advanceTimersByTime(8000);
    expect(healthy).toHaveLength(1);
    expect(healthy[0]?.action.after).toMatchObject({ requests: [{ method: "POST", path: "/api/generate", status: 202 }], mutated: true });
    expect(found).toEqual([]);
  });
});
