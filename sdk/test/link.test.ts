import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test, vi } from "vitest";
import { lossCounts, lossesClear } from "../src/browser/guard";
import { Link } from "../src/transport/link";
import { Outbox } from "../src/transport/outbox";
import type { ClientFrame, ServerFrame } from "../src/types";

class FakeSocket {
  static all: FakeSocket[] = [];
  sent: ClientFrame[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientFrame);
  }
  close(): void {}
  says(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  types(): string[] {
    return this.sent.map((frame) => frame.type);
  }
}

const WELCOME = { type: "welcome", v: 1, session: "cap", user: null, config: {}, server_time: 0 };
const rating = (id: string): ClientFrame => ({ type: "rating", incident: "inc_a", stars: 5, text: null, client_event_id: id });
const latest = (): FakeSocket => FakeSocket.all[FakeSocket.all.length - 1] as FakeSocket;
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

let received: ServerFrame[];
let post: ReturnType<typeof vi.fn>;

function linked(outbox = new Outbox(() => Date.now())): Link {
  const link = new Link({
    endpoint: "https://ops.test", key: "pk_1", outbox, fetch: post as unknown as typeof fetch, Socket: FakeSocket as unknown as typeof WebSocket,
    identity: () => "jwt", page: () => "https://app.test/", received: (frame) => received.push(frame),
  });
  link.start();
  return link;
}

async function welcomed(): Promise<Link> {
  const link = linked();
  latest().onopen?.();
  latest().says(WELCOME);
  await settled();
  return link;
}

beforeEach(() => {
  FakeSocket.all = [];
  received = [];
  post = vi.fn();
  globalThis.indexedDB = new IDBFactory();
  localStorage.clear();
  lossesClear();
});

test("the hello says who we are; the next one carries the capability", async () => {
  const link = await welcomed();
  expect(latest().url).toBe("wss://ops.test/sdk/v1/socket");
  expect(latest().sent[0]).toMatchObject({ type: "hello", v: 1, key: "pk_1", session: null, identity: "jwt" });
  link.stop();
  linked();
  latest().onopen?.();
  expect(latest().sent[0]).toMatchObject({ session: "cap" });
});

test("what is not acknowledged is sent again by the next visit, what is, is not", async () => {
  const link = await welcomed();
  link.send(rating("event-1"));
  link.send(rating("event-2"));
  latest().says({ type: "ack", client_event_id: "event-1", incident: null });
  await settled();
  link.stop();
  await welcomed();
  expect(latest().sent.slice(1)).toEqual([rating("event-2")]);
});

test("nothing goes out before the welcome", async () => {
  const link = linked();
  latest().onopen?.();
  link.send(rating("event-1"));
  expect(latest().types()).toEqual(["hello"]);
  latest().says(WELCOME);
  await settled();
  expect(latest().types()).toEqual(["hello", "rating"]);
});

test("a wrong key ends the trying", async () => {
  vi.useFakeTimers();
  linked();
  latest().onclose?.({ code: 4401 });
  await vi.advanceTimersByTimeAsync(120_000);
  vi.useRealTimers();
  expect(FakeSocket.all).toHaveLength(1);
  expect(lossCounts()).toEqual({ refused_4401: 1 });
});

test("a frame that would be refused again is dropped and counted", async () => {
  const link = await welcomed();
  link.send(rating("event-1"));
  latest().says({ type: "error", code: "invalid_frame", message: "", client_event_id: "event-1", retry_after: null });
  link.stop();
  await settled();
  await welcomed();
  expect(latest().types()).toEqual(["hello"]);
  expect(lossCounts()["refused_invalid_frame"]).toBe(1);
});

test("a rate limit is waited out, then everything kept goes out", async () => {
  const link = await welcomed();
  vi.useFakeTimers();
  latest().says({ type: "error", code: "rate_limited", message: "", client_event_id: null, retry_after: 3 });
  link.send(rating("event-1"));
  expect(latest().types()).toEqual(["hello"]);
  await vi.advanceTimersByTimeAsync(3100);
  vi.useRealTimers();
  expect(latest().types()).toEqual(["hello", "rating"]);
});

test("a frame above the limit never leaves", async () => {
  const link = await welcomed();
  link.send({ type: "answer", incident: "inc_a", question: "q", choice: null, text: "x".repeat(600_000), client_event_id: "event-1" });
  expect(latest().types()).toEqual(["hello"]);
  expect(lossCounts()["frame_too_large"]).toBe(1);
});

test("two sockets that fail make it HTTP, with the same frames", async () => {
  const reply = { welcome: WELCOME, replies: [{ type: "ack", client_event_id: "event-1", incident: "inc_a" }] };
  post.mockResolvedValue({ ok: true, status: 200, headers: new Headers(), json: () => Promise.resolve(reply) });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const link = linked();
  link.send(rating("event-1"));
  latest().onclose?.({ code: 1006 });
  await vi.advanceTimersByTimeAsync(1000);
  latest().onclose?.({ code: 1006 });
  await vi.advanceTimersByTimeAsync(2000);
  vi.useRealTimers();
  await settled();
  const [url, init] = post.mock.calls[0] as [string, RequestInit];
  expect(url).toBe("https://ops.test/sdk/v1/reports");
  const body = JSON.parse(String(init.body)) as { hello: object; frames: object[] };
  expect(body.hello).toMatchObject({ type: "hello", key: "pk_1" });
  expect(body.frames).toEqual([rating("event-1")]);
  expect(received.map((frame) => frame.type)).toEqual(["welcome", "ack"]);
  link.stop();
});

test("without IndexedDB frames wait in memory", async () => {
  Object.defineProperty(globalThis, "indexedDB", { configurable: true, writable: true, value: { open() { throw new Error("blocked"); } } });
  const link = await welcomed();
  link.send(rating("event-1"));
  latest().onclose?.({ code: 1006 });
  await new Promise((resolve) => setTimeout(resolve, 700));
  latest().onopen?.();
  latest().says(WELCOME);
  await settled();
  expect(latest().types()).toEqual(["hello", "rating"]);
  link.stop();
});
