/** Which area a trouble belongs to: what the host declared, then what its routes say. */
import type { Kind } from "../types";

const BILLING_PATH = /(^|[/_-])(billing|payments?|checkout|credits|invoices?|subscriptions?|subscribe|purchases?|buy|pay|cart\/pay|top-?up)([/_.-]|$)/i;
/** Troubles that money turns into a billing issue; a login stays a login. */
const RECLASSED = new Set<Kind>(["SILENT_FAILURE", "ERROR", "DATA_INCONSISTENCY", "SLOW_RESPONSE"]);

export interface Place { route: string; requestPaths: string[]; element: Element | null }

export function isBilling({ route, requestPaths, element }: Place): boolean {
  const declared = element?.closest("[data-kriptik-area]")?.getAttribute("data-kriptik-area");
  if (declared) return declared === "billing";
  return [...(requestPaths.length ? requestPaths : [route])].some((path) => BILLING_PATH.test(path));
}

export function kindAt(kind: Kind, place: Place): Kind {
  return RECLASSED.has(kind) && isBilling(place) ? "BILLING_ISSUE" : kind;
}
