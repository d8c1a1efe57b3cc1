import { beforeEach, expect, test, vi } from "vitest";
import { Expectations, type Pair, sameValue, valueAt } from "../src/detect/expectations";
import type { Expectation } from "../src/types";

test.each([
  ["50", 50, true], ["1,250 credits", 1250, true], ["$ 1,250.50", 1250.5, true], ["50", 150, false], ["-3", -3, true],
  ["no number", 5, false], [" Pro  plan ", "Pro plan", true], ["Pro", "Free", false], ["150", "150", true], ["", 0, false],
])("%j against %j is the same: %s", (shown, expected, same) => expect(sameValue(shown, expected)).toBe(same));

test("a path leads into an answer", () => {
  const body = { a: { b: [{ c: 7 }] } };
  expect(valueAt(body, "a.b[0].c")).toBe(7);
  expect(valueAt(body, "a.x.c")).toBeUndefined();
  expect(valueAt(body, "")).toBe(body);
});

let told: Expectation[];
let expectations: Expectations;
let pair: Pair;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  pair = { shown: "50", expected: 150 };
  expectations = new Expectations({ now: () => performance.now(), fetch: vi.fn(), mismatch: (what) => told.push(what) });
  return () => {
    expectations.stop();
    vi.useRealTimers();
  };
});

test("a mismatch counts when it has lasted, and once", async () => {
  expectations.expect("credits", 2000, () => pair);
  await vi.advanceTimersByTimeAsync(2300);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(told).toEqual([{ name: "credits", shown: "50", expected: "150" }]);
});

test("one that heals in time is none", async () => {
  expectations.expect("credits", 2000, () => pair);
  await vi.advanceTimersByTimeAsync(1000);
  pair = { shown: "150", expected: 150 };
  await vi.advanceTimersByTimeAsync(30_000);
  expect(told).toEqual([]);
});

test("a check that throws hurts nobody", async () => {
  expectations.expect("broken", 100, () => { throw new Error("page"); });
  expectations.expect("credits", 100, () => pair);
  await vi.advanceTimersByTimeAsync(3000);
  expect(told.map((one) => one.name)).toEqual(["credits"]);
});

test("a withdrawn expectation is not asked again", async () => {
  const off = expectations.expect("credits", 100, () => pair);
  off();
  await vi.advanceTimersByTimeAsync(3000);
  expect(told).toEqual([]);
});
