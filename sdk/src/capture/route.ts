/** Paths as routes: what differs from user to user becomes :id, so that the same screen has one name. */
import { scrub } from "./mask";

const ID_LIKE = /^(\d+|[0-9a-f]{8,}|[0-9a-f-]{32,}|[A-Za-z]{2,5}_[A-Za-z0-9]{6,}|(?=.*\d)[A-Za-z0-9_-]{16,})$/;

export function routeOf(path: string): string {
  const clean = path.split(/[?#]/, 1)[0] ?? "/";
  return clean.split("/").map((part) => (ID_LIKE.test(part) ? ":id" : part)).join("/") || "/";
}

/** Page address with the values of secret-looking parameters taken out. */
export function cleanUrl(href: string): string {
  const url = new URL(href, location.href);
  for (const key of Array.from(url.searchParams.keys())) {
    if (/token|secret|code|key|passw|sig|auth|email/i.test(key)) url.searchParams.set(key, "hidden");
  }
  return scrub(decodeSafe(url.href));
}

function decodeSafe(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}

/** Path and query of the current page, as the action log keeps it. */
export function currentPath(): string {
  const url = new URL(cleanUrl(location.href));
  return url.pathname + url.search;
}
