import { beforeEach, expect, test } from "vitest";
import { type Change, Mutations } from "../src/capture/mutations";

let now = 0;
let idle = true;
let seen: Change[];
let mutations: Mutations;

beforeEach(() => {
  document.body.innerHTML = "<p id=clock>0</p><p id=out></p>";
  now = 0;
  idle = true;
  seen = [];
  mutations = new Mutations({ now: () => now, idle: () => idle, changed: (changes) => seen.push(...changes) });
  mutations.start();
  return () => mutations.stop();
});

const at = (id: string): Element => document.getElementById(id) as Element;

function tick(times: number): void {
  for (let i = 0; i < times; i++) {
    now += 1000;
    (at("clock").firstChild as Text).data = String(now);
    mutations.flush();
  }
}

test("what moves by itself is no answer; what moves for the first time is", () => {
  tick(3);
  idle = false;
  tick(1);
  expect(seen).toEqual([]);
  at("out").textContent = "Done";
  mutations.flush();
  expect(seen.map((change) => change.element)).toContain(at("out"));
});

test("moves during actions do not make a spot background", () => {
  idle = false;
  tick(5);
  expect(seen).toHaveLength(5);
});

test("scripts, styles and what is gone at once are not seen", () => {
  idle = false;
  document.head.append(document.createElement("script"));
  document.body.append(document.createElement("style"));
  const frame = document.body.appendChild(document.createElement("iframe"));
  frame.remove();
  mutations.flush();
  expect(seen.filter((change) => change.visible)).toEqual([]);
});

test("changes inside a shadow root are seen", () => {
  const root = at("out").attachShadow({ mode: "open" });
  idle = false;
  root.append(document.createElement("b"));
  mutations.flush();
  expect(seen).toHaveLength(1);
});

test("attachShadow is the page's own again after stop", () => {
  const patched = Element.prototype.attachShadow;
  mutations.stop();
  expect(Element.prototype.attachShadow).not.toBe(patched);
});
