/** What an element is: its control, role, accessible name, fingerprint and locators. */
import { NAME_MAX } from "../constants";
import type { ElementInfo, Locator } from "../types";
import { scrub } from "./mask";

const INTERACTIVE =
  "a[href],button,summary,label,select,option,input,textarea,[contenteditable=''],[contenteditable=true]," +
  "[role=button],[role=link],[role=menuitem],[role=tab],[role=switch],[role=checkbox],[role=radio],[role=option]," +
  "[role=menuitemradio],[role=menuitemcheckbox],[role=treeitem],[onclick]";

const TEXT_TYPES = new Set(
  ["text", "search", "email", "url", "tel", "password", "number", "date", "time", "datetime-local", "month", "week", ""]);

const ROLE_BY_TAG: Record<string, string> = {
  button: "button", summary: "button", a: "link", select: "combobox", textarea: "textbox", option: "option",
  h1: "heading", h2: "heading", h3: "heading", h4: "heading", img: "img", nav: "navigation", main: "main",
  dialog: "dialog", form: "form", table: "table", ul: "list", ol: "list", li: "listitem", progress: "progressbar",
  output: "status", article: "article", iframe: "",
};
const ROLE_BY_INPUT: Record<string, string> = {
  button: "button", submit: "button", reset: "button", image: "button", checkbox: "checkbox", radio: "radio",
  range: "slider", number: "spinbutton", search: "searchbox",
};

export function parentOf(node: Node): Node | null {
  return node.parentNode ?? (node instanceof ShadowRoot ? node.host : null);
}

export function isTextField(element: Element): boolean {
  if (element instanceof HTMLTextAreaElement) return true;
  if (element instanceof HTMLInputElement) return TEXT_TYPES.has((element.getAttribute("type") ?? "").toLowerCase());
  return element instanceof HTMLElement && element.isContentEditable;
}

/**
 * The control a click on `start` means: the nearest interactive ancestor through shadow hosts, else the highest
 * ancestor of an unbroken run that shows the pointer cursor (a clickable div), else null.
 */
export function controlOf(start: Element): Element | null {
  let pointer: Element | null = null;
  let broken = false;
  for (let node: Node | null = start; node; node = parentOf(node)) {
    if (!(node instanceof Element) || node === document.body || node === document.documentElement) continue;
    if (node.matches(INTERACTIVE)) return node;
    if (!broken && getComputedStyle(node).cursor === "pointer") pointer = node;
    else broken = true;
  }
  return pointer;
}

export function roleOf(element: Element): string | null {
  const explicit = element.getAttribute("role")?.split(" ")[0];
  if (explicit) return explicit;
  const tag = element.localName;
  if (tag === "input") {
    const type = (element.getAttribute("type") ?? "text").toLowerCase();
    return ROLE_BY_INPUT[type] ?? (type === "password" ? null : "textbox");
  }
  if (tag === "a" && !element.hasAttribute("href")) return null;
  return ROLE_BY_TAG[tag] || null;
}

function squeeze(text: string | null | undefined): string {
  return (text ?? "").replace(/\s+/g, " ").trim().slice(0, NAME_MAX);
}

function rootOf(element: Element): Document | ShadowRoot {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root : document;
}

/** The `<label>` of a form field, without the field's own words. */
export function labelOf(element: Element): string {
  const labels = (element as HTMLInputElement).labels;
  return labels?.length ? squeeze(labels[0]?.textContent) : "";
}

/** Accessible name, the parts of the W3C algorithm that decide in practice; never a field's value. */
export function nameOf(element: Element): string {
  const by = element.getAttribute("aria-labelledby");
  const referenced = by?.split(/\s+/).map((id) => rootOf(element).getElementById(id)?.textContent ?? "").join(" ");
  const own = squeeze(referenced) || squeeze(element.getAttribute("aria-label")) || labelOf(element);
  if (own) return own;
  if (element instanceof HTMLInputElement) {
    const spoken = /^(submit|button|reset)$/.test(element.type) ? element.value : element.getAttribute("alt");
    return squeeze(spoken || element.placeholder || element.title);
  }
  if (isTextField(element)) return squeeze(element.getAttribute("placeholder") || element.getAttribute("title"));
  const inner = squeeze(element.textContent) || squeeze(element.querySelector("img[alt]")?.getAttribute("alt"));
  return inner || squeeze(element.getAttribute("alt")) || squeeze(element.getAttribute("title"));
}

/** An id that a framework numbered (`:r3:`, `input-42`) is another one tomorrow. */
function stableId(element: Element): string | null {
  return /^[A-Za-z][\w-]*$/.test(element.id) && !/\d{2,}|[0-9a-f]{6,}/i.test(element.id) ? element.id : null;
}

const testidOf = (element: Element): string | null => element.getAttribute("data-testid");

/** Numbers in a name ("Cart (3)") change while the control stays the same. */
const nameKey = (name: string): string => name.replace(/\d+/g, "#").slice(0, 40);

export function fingerprintOf(element: Element): string {
  const tag = element.localName;
  const testid = testidOf(element);
  if (testid) return `${tag}[testid=${testid}]`;
  const id = stableId(element);
  if (id) return `${tag}#${id}`;
  const field = element.getAttribute("name");
  if (field && isTextField(element)) return `${tag}[name=${field}]`;
  const name = nameKey(scrub(nameOf(element)));
  if (name) return `${roleOf(element) ?? tag}:${name}`;
  return pathOf(element, 4, false);
}

function stepOf(element: Element, indexed: boolean): string {
  const id = stableId(element);
  if (id) return `#${id}`;
  const twins = Array.from(element.parentElement?.children ?? []).filter((other) => other.localName === element.localName);
  return indexed && twins.length > 1 ? `${element.localName}:nth-of-type(${twins.indexOf(element) + 1})` : element.localName;
}

function pathOf(element: Element, depth: number, indexed: boolean): string {
  const steps: string[] = [];
  for (let node: Element | null = element; node && steps.length < depth; node = node.parentElement) {
    steps.unshift(stepOf(node, indexed));
    if (steps[0]?.startsWith("#") || node === document.body) break;
  }
  return steps.join(" > ");
}

/** For the inside of a quoted attribute selector. */
const quoted = (text: string): string => text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\a ");

const isUnique = (selector: string): boolean => document.querySelectorAll(selector).length === 1;

/** Playwright matches names as case-blind substrings, so uniqueness is judged the same way. */
function uniqueBy(candidates: Iterable<Element>, words: (element: Element) => string, wanted: string): boolean {
  const needle = wanted.toLowerCase();
  let seen = 0;
  for (const element of candidates) {
    if (words(element).toLowerCase().includes(needle) && ++seen > 1) return false;
  }
  return seen === 1;
}

function sameRole(role: string): Element[] {
  const tags = Object.keys(ROLE_BY_TAG).filter((tag) => ROLE_BY_TAG[tag] === role);
  const selector = [...tags, "input", `[role="${quoted(role)}"]`].join(",");
  return Array.from(document.querySelectorAll(selector)).filter((element) => roleOf(element) === role);
}

/** Locators that found exactly this element now, best first. Elements inside shadow roots get what Playwright pierces. */
export function locatorsOf(element: Element): Locator[] {
  const found: Locator[] = [];
  const testid = testidOf(element);
  if (testid && isUnique(`[data-testid="${quoted(testid)}"]`)) found.push({ by: "testid", value: testid });
  const role = roleOf(element);
  const name = nameOf(element);
  if (role && name && uniqueBy(sameRole(role), nameOf, name)) found.push({ by: "role", role, name });
  found.push(...fieldLocators(element), ...textLocator(element, role, name));
  const css = pathOf(element, 8, true);
  if (css && isUnique(css)) found.push({ by: "css", value: css });
  return found;
}

function fieldLocators(element: Element): Locator[] {
  const found: Locator[] = [];
  const placeholder = element.getAttribute("placeholder");
  if (placeholder && isUnique(`[placeholder="${quoted(placeholder)}"]`)) {
    found.push({ by: "placeholder", value: placeholder });
  }
  const label = labelOf(element);
  if (label && uniqueBy(document.querySelectorAll("label"), (other) => squeeze(other.textContent), label)) {
    found.push({ by: "label", value: label });
  }
  return found;
}

function textLocator(element: Element, role: string | null, name: string): Locator[] {
  const plain = !isTextField(element) && name && name === squeeze(element.textContent) && element.children.length === 0;
  if (!plain || name.length > 60) return [];
  const peers = role ? sameRole(role) : document.querySelectorAll(element.localName);
  return uniqueBy(peers, (other) => squeeze(other.textContent), name) ? [{ by: "text", value: name }] : [];
}

export function describe(element: Element): ElementInfo {
  const name = scrub(nameOf(element));
  return {
    tag: element.localName,
    role: roleOf(element),
    name: name || null,
    fingerprint: fingerprintOf(element),
    locators: locatorsOf(element),
  };
}
