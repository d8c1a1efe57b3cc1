/** contract/*.json: the golden examples that the intake's tests read as well, so that neither side can drift. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { describe as describeElement } from "../src/capture/element";
import { Journey } from "../src/capture/journey";
import { Feed } from "../src/feed/feed";
import { finding } from "../src/detect/finding";
import { Track } from "../src/detect/track";
import { outcomeOf } from "../src/outcome";
import { pack } from "../src/recorder/pack";
import { reportOf } from "../src/report";
import { Link } from "../src/transport/link";
import { Outbox } from "../src/transport/outbox";
import type { IncidentState, ServerFrame } from "../src/types";

interface Golden { valid: Record<string, unknown>[]; invalid: { because: string; value: unknown }[] }

const folder = join(import.meta.dirname, "../../contract/");
const golden = (name: string): Golden => JSON.parse(readFileSync(`${folder}${name}.json`, "utf8")) as Golden;

/** Every key, at every depth; lists by their first element. Null is "nothing said", any value fits it. */
function misfits(value: unknown, example: unknown, path = ""): string[] {
  if (value === null || example === null) return [];
  if (Array.isArray(value) && Array.isArray(example)) return value.length && example.length ? misfits(value[0], example[0], `${path}[]`) : [];
  if (typeof value !== typeof example) return [`${path}: ${typeof value}, not ${typeof example}`];
  if (typeof value !== "object") return [];
  const [ours, theirs] = [value as Record<string, unknown>, example as Record<string, unknown>];
  if ("by" in theirs || path.endsWith(".state")) return []; // a union, and the host's own object
  const missing = Object.keys(theirs).filter((key) => !(key in ours)).map((key) => `${path}.${key}: missing`);
  return [...missing, ...Object.keys(ours).flatMap((key) =>
    key in theirs ? misfits(ours[key], theirs[key], `${path}.${key}`) : [`${path}.${key}: unknown`])];
}

function track(): Track {
  document.body.innerHTML = "<button data-testid=generate>Generate</button><h2 data-testid=preview>P</h2>";
  const control = document.querySelector("button") as Element;
  const action = new Journey(() => 1795000000000).add("click", describeElement(control));
  const made = new Track(action, control, 0, { action, control, event: new MouseEvent("click"), since: 0 });
  made.requests.push({
    action_id: "a1", method: "POST", path: "/api/generate", status: 502, ms: 83, at: 1795000000000, trace_id: made.trace,
    body_shape: "{prompt:str}", response_excerpt: "{}", pending: false, bad: true, reason: "request_failed", started: 0, ended: 83,
  });
  action.after = {
    requests: [{ method: "POST", path: "/api/generate", status: 502 }], navigated: null, mutated: true,
    appeared: [{ by: "testid", value: "preview" }], ms: 12,
  };
  return made;
}

beforeEach(() => sessionStorage.clear());

describe("what we send", () => {
  test("a report", () => {
    const made = track();
    const report = reportOf(finding("SILENT_FAILURE", ["request_failed"], "x", { track: made }), {
      at: 1795000000000, actions: [made.action], requests: made.requests, state: () => ({ plan: "pro" }),
      console: [{ level: "error", text: "x", at: 1795000000000 }],
    });
    for (const example of golden("Report").valid) {
      expect(Object.keys(report).sort()).toEqual(Object.keys(example).sort());
      expect(misfits(report, example)).toEqual([]);
    }
  });

  test("an outcome", () => {
    const outcome = outcomeOf(track());
    for (const example of golden("Outcome").valid) expect(misfits(outcome, example)).toEqual([]);
  });

  test("a recording's chunk", async () => {
    const [chunk] = await pack("7e3f6f0e-5a0a-4d5b-9a53-0c1b2a3d4e5f", [{ type: 4 }, { type: 2 }]);
    expect(misfits(chunk, golden("client.chunk").valid[0])).toEqual([]);
    expect(chunk?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a hello", () => {
    const sent: string[] = [];
    class Socket {
      onopen: (() => void) | null = null;
      send(text: string): void { sent.push(text); }
      close(): void {}
    }
    let socket: Socket | null = null;
    const Fake = class extends Socket { constructor() { super(); socket = this; } };
    const link = new Link({
      endpoint: "https://ops.test", key: "pk_1", outbox: new Outbox(() => 0), fetch: vi.fn(), Socket: Fake as unknown as typeof WebSocket,
      identity: () => null, page: () => "https://forge.example/studio", received: () => undefined,
    });
    link.start();
    (socket as Socket | null)?.onopen?.();
    link.stop();
    expect(misfits(JSON.parse(sent[0] ?? "null"), golden("client.hello").valid[0])).toEqual([]);
  });
});

describe("what we take", () => {
  const server = readdirSync(folder).filter((name) => name.startsWith("server.")).map((name) => name.replace(".json", ""));

  test("every kind of frame of the server is known here", () => {
    const known: Record<ServerFrame["type"], true> = { welcome: true, snapshot: true, incident: true, ack: true, chunk_ack: true, pong: true, error: true };
    expect(server.map((name) => name.replace("server.", "")).sort()).toEqual(Object.keys(known).sort());
  });

  test("a snapshot, and each incident state", () => {
    const feed = new Feed();
    const told: IncidentState[] = [];
    feed.onChange((state) => told.push(state));
    for (const { incidents } of golden("server.snapshot").valid as unknown as { incidents: IncidentState[] }[]) feed.snapshot(incidents);
    expect(told).not.toEqual([]);
    for (const state of golden("IncidentState").valid as unknown as IncidentState[]) {
      const fresh = new Feed();
      fresh.apply(state);
      expect(fresh.get(state.incident)).toEqual(state);
    }
  });
});
