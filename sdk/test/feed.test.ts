import { beforeEach, expect, test } from "vitest";
import { Feed } from "../src/feed/feed";
import type { IncidentState } from "../src/types";

const state = (version: number, rest: Partial<IncidentState> = {}): IncidentState => ({
  type: "incident", incident: "inc_a", version, stage: "fixing", kind: "ERROR", title: `v${version}`, body: "", progress: null,
  question: null, actions: [], ask_rating: false, release: null, at: 0, ...rest,
});

beforeEach(() => {
  localStorage.clear();
  document.cookie = "kriptik_release=; Max-Age=0; path=/";
});

test("snapshot and messages in any order give the fresh state", () => {
  const versions = [state(1), state(2), state(3), state(3)];
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]]) {
    const feed = new Feed();
    const told: number[] = [];
    feed.onChange((changed) => told.push(changed.version));
    for (const index of order) feed.apply(versions[index] as IncidentState);
    feed.snapshot([state(2)]);
    expect(feed.get("inc_a")?.title).toBe("v3");
    expect(told).toEqual([...told].sort());
  }
});

test("a report is bound to its incident", () => {
  const feed = new Feed();
  feed.bind("event-1", "inc_a");
  expect([feed.incidentOf("event-1"), feed.incidentOf("event-2")]).toEqual(["inc_a", null]);
});

test("the release cookie is set, and deleted by the incident that set it only", () => {
  const feed = new Feed();
  feed.apply(state(1, { release: { cookie: "kriptik_release", token: "token-1234567890" } }));
  expect(document.cookie).toContain("kriptik_release=token-1234567890");
  feed.apply(state(1, { incident: "inc_b", release: null }));
  const silent = state(2);
  delete (silent as Partial<IncidentState>).release;
  feed.apply(silent);
  expect(document.cookie).toContain("kriptik_release=token-1234567890");
  feed.apply(state(3, { release: null }));
  expect(document.cookie).not.toContain("kriptik_release");
});

test.each([{ cookie: "session", token: "x".repeat(16) }, { cookie: "kriptik_release", token: "a; Domain=evil" }])(
  "a release that is not one of ours is refused: %j", (release) => {
    new Feed().apply(state(1, { release }));
    expect(document.cookie).toBe("");
  });
