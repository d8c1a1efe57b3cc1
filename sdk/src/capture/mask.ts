/**
 * Privacy: one pure set of rules. What a user typed leaves the page only as a shape, unless the host unmasked that
 * place; passwords, card fields and file inputs can be unmasked by nobody.
 */
import { SHAPE_MAX } from "../constants";

export const UNMASK = "data-kriptik-unmask";
const NEVER_TYPES = new Set(["password", "file", "hidden"]);
const NEVER_AUTOCOMPLETE = /cc-|password|one-time-code/i;
const NEVER_NAMES = /passw|pwd|secret|cvc|cvv|card.?num|iban|ssn|token|otp/i;

const EMAIL = /[^\s@<>"']+@[^\s@<>"']+\.[a-z]{2,}/gi;
const LONG_DIGITS = /\b\d(?:[ -]?\d){11,18}\b/g;
const BEARER = /\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi;
const JWT = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;
const KEYLIKE = /\b(?:sk|pk|rk|ghp|xox[abp])[-_][a-z0-9_-]{12,}/gi;

/** Can this field's value ever be shown as it is? */
export function isSecretField(element: Element): boolean {
  const type = (element.getAttribute("type") ?? "").toLowerCase();
  return (
    NEVER_TYPES.has(type) ||
    NEVER_AUTOCOMPLETE.test(element.getAttribute("autocomplete") ?? "") ||
    NEVER_NAMES.test(`${element.getAttribute("name") ?? ""} ${element.id}`)
  );
}

export function isMasked(element: Element): boolean {
  return isSecretField(element) || element.closest(`[${UNMASK}]`) === null;
}

/** Letters become a or A, digits 9, the rest stays: enough to type something alike in a reproduction. */
export function shapeOf(value: string): string {
  return value
    .slice(0, SHAPE_MAX)
    .replace(/\p{Lu}/gu, "A")
    .replace(/[\p{L}]/gu, (letter) => (letter === "A" ? "A" : "a"))
    .replace(/\p{N}/gu, "9");
}

/** A password's length and alphabet are secrets too. */
export function shapeOfField(element: Element, value: string): string {
  return isSecretField(element) ? "********" : shapeOf(value);
}

/** Takes out what identifies or authorises, in words that come from page, console or network. */
export function scrub(text: string): string {
  return text
    .replace(JWT, "[token]")
    .replace(BEARER, "$1 [token]")
    .replace(KEYLIKE, "[key]")
    .replace(EMAIL, "[email]")
    .replace(LONG_DIGITS, "[number]");
}

const SECRET_KEYS = /passw|secret|token|authori|cookie|cvc|cvv|card|iban|ssn|otp|api.?key/i;

/** The same for structured values: secret-sounding keys lose their value whole. */
export function scrubValue(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return scrub(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (depth > 6 || typeof value !== "object") return null;
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => scrubValue(item, depth + 1));
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value as Record<string, unknown>).slice(0, 100)) {
    out[key] = SECRET_KEYS.test(key) ? "[hidden]" : scrubValue(item, depth + 1);
  }
  return out;
}

/** `{"prompt":"x","n":[1]}` -> `{prompt:str,n:[num]}`: names and kinds, never values. */
export function bodyShape(body: unknown, depth = 0): string {
  if (Array.isArray(body)) return body.length ? `[${bodyShape(body[0], depth + 1)}]` : "[]";
  if (body === null) return "null";
  if (typeof body === "string") return "str";
  if (typeof body === "number") return "num";
  if (typeof body === "boolean") return "bool";
  if (typeof body !== "object" || depth > 3) return "any";
  const pairs = Object.entries(body as Record<string, unknown>).slice(0, 20);
  return `{${pairs.map(([key, value]) => `${key}:${bodyShape(value, depth + 1)}`).join(",")}}`;
}
