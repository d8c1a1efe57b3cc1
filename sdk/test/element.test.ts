import { describe as group, expect, test } from "vitest";
import { controlOf, describe, fingerprintOf, locatorsOf, nameOf, roleOf } from "../src/capture/element";

function first(html: string, selector = "#t"): Element {
  document.body.innerHTML = html;
  return document.querySelector(selector) as Element;
}

group("role and name", () => {
  test.each([
    ["<button id=t>  Save\n now </button>", "button", "Save now"],
    ["<a id=t href=/x>Home</a>", "link", "Home"],
    ["<input id=t type=submit value=Go>", "button", "Go"],
    ["<label for=t>E-mail</label><input id=t value='a@b.co'>", "textbox", "E-mail"],
    ["<div id=t role=switch aria-label=Dark></div>", "switch", "Dark"],
    ["<b id=x>Delete</b><button id=t aria-labelledby=x>?</button>", "button", "Delete"],
    ["<button id=t><img alt=Close></button>", "button", "Close"],
    ["<input id=t type=checkbox title=Agree>", "checkbox", "Agree"],
  ])("%s", (html, role, name) => {
    const element = first(html);
    expect([roleOf(element), nameOf(element)]).toEqual([role, name]);
  });

  test("what a user typed is never a name", () => {
    expect(nameOf(first("<textarea id=t>my secret</textarea>"))).toBe("");
    expect(nameOf(first("<input id=t value='my secret'>"))).toBe("");
  });
});

group("locators", () => {
  test("come in Playwright's order of preference", () => {
    const kinds = locatorsOf(first("<button id=t data-testid=go>Go</button>")).map((locator) => locator.by);
    expect(kinds).toEqual(["testid", "role", "text", "css"]);
  });

  test("that match more than one element are left out", () => {
    const twins = "<button>Save</button><button>Save all</button><button id=save-it>Save</button>";
    expect(locatorsOf(first(twins, "#save-it"))).toEqual([{ by: "css", value: "#save-it" }]);
  });

  test("a path is used where nothing better is unique", () => {
    const [only] = locatorsOf(first("<ul><li><button>A</button></li><li><button>A</button></li></ul>", "li:nth-child(2) button"));
    expect(only?.by).toBe("css");
    expect(document.querySelectorAll((only as { value: string }).value)).toHaveLength(1);
  });
});

group("fingerprint", () => {
  test("stays the same while numbers in the name change", () => {
    const before = fingerprintOf(first("<button class=t>Cart (3)</button>", "button"));
    expect(fingerprintOf(first("<button class=u>Cart (12)</button>", "button"))).toBe(before);
  });
  test("does not rest on an id that a framework numbered", () => {
    expect(fingerprintOf(first("<button id='input-4281'>Go</button>", "button"))).toBe("button:Go");
  });
});

group("the control that a click means", () => {
  test("is the interactive ancestor, through shadow roots", () => {
    const host = first("<button id=t><my-icon></my-icon></button>", "my-icon");
    const inner = host.attachShadow({ mode: "open" }).appendChild(document.createElement("i"));
    expect(controlOf(inner)?.id).toBe("t");
  });
  test("is nothing for plain text", () => expect(controlOf(first("<p id=t>Text</p>"))).toBeNull());
  test("is a div that shows the pointer", () => {
    expect(controlOf(first("<div id=card style='cursor:pointer'><b id=t style='cursor:pointer'>x</b></div>"))?.id).toBe("card");
  });
});

test("a description has every field of the wire", () => {
  expect(Object.keys(describe(first("<button id=t>Go</button>")))).toEqual(["tag", "role", "name", "fingerprint", "locators"]);
});
