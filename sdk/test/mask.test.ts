import { describe, expect, test } from "vitest";
import { bodyShape, isMasked, isSecretField, scrub, scrubValue, shapeOf, shapeOfField } from "../src/capture/mask";
import { cleanUrl, routeOf } from "../src/capture/route";

function field(html: string): Element {
  document.body.innerHTML = html;
  return document.querySelector("input,textarea") as Element;
}

describe("what was typed", () => {
  test.each([
    ["Anna 42!", "Aaaa 99!"], ["ÄßÉ é", "AaA a"], ["a\nb", "a\na"], ["", ""], ["日本 1", "aa 9"], ["x".repeat(200), "a".repeat(80)],
  ])("%j has the shape %j", (value, shape) => expect(shapeOf(value)).toBe(shape));

  test("is masked unless the host unmasked the place", () => {
    expect(isMasked(field("<input>"))).toBe(true);
    expect(isMasked(field("<div data-kriptik-unmask><input></div>"))).toBe(false);
  });

  test.each([
    "<input data-kriptik-unmask type=password>", "<input data-kriptik-unmask autocomplete=cc-number>",
    "<input data-kriptik-unmask name=cvc>", "<input data-kriptik-unmask type=file>", "<input data-kriptik-unmask id=api-token>",
  ])("can never be unmasked in %s", (html) => {
    expect(isSecretField(field(html))).toBe(true);
    expect(isMasked(field(html))).toBe(true);
    expect(shapeOfField(field(html), "hunter2")).toBe("********");
  });
});

describe("words from page, console and network", () => {
  test.each([
    ["mail anna@example.com now", "mail [email] now"], ["Bearer abcdefghijkl", "Bearer [token]"],
    ["card 4111 1111 1111 1111", "card [number]"], ["eyJhbGciOiJI.eyJzdWI.c2ln", "[token]"], ["key sk_live_abcdefghijkl", "key [key]"],
    ["Build 12 of 30 failed", "Build 12 of 30 failed"],
  ])("%j leaves as %j", (text, clean) => expect(scrub(text)).toBe(clean));

  test("lose the values of secret-sounding keys", () => {
    expect(scrubValue({ plan: "pro", apiKey: "x", deep: { password: "y", list: ["a@b.co"] } })).toEqual(
      { plan: "pro", apiKey: "[hidden]", deep: { password: "[hidden]", list: ["[email]"] } });
  });

  test("a body leaves as names and kinds", () => {
    expect(bodyShape({ prompt: "secret", n: 3, tags: ["a"], on: true, none: null })).toBe("{prompt:str,n:num,tags:[str],on:bool,none:null}");
  });
});

describe("addresses", () => {
  test.each([
    ["/studio", "/studio"], ["/builds/42/files", "/builds/:id/files"], ["/u/7e3f6f0e-5a0a-4d5b-9a53-0c1b2a3d4e5f", "/u/:id"],
    ["/apps/app_01hx8k2m", "/apps/:id"], ["/", "/"], ["/sign-in?x=1", "/sign-in"],
  ])("%s is the route %s", (path, route) => expect(routeOf(path)).toBe(route));

  test("hide the values of secret-looking parameters", () => {
    expect(cleanUrl("https://x.test/a?token=abc&page=2")).toBe("https://x.test/a?token=hidden&page=2");
  });
});
