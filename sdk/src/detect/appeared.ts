/** Which named things became visible because of an action: what a reproduction can wait for. */
import { APPEARED_MAX } from "../constants";
import { locatorsOf, roleOf } from "../capture/element";
import { isOwn, isVisible } from "../capture/visible";
import type { Locator } from "../types";

const NAMED = "[data-testid],[role],h1,h2,h3,iframe[title],dialog,output";
const ROLES = new Set(["heading", "dialog", "alert", "status", "button", "link", "img", "tab", "listitem", "progressbar"]);

export function appearedLocators(elements: Element[]): Locator[] {
  const seen = new Set<Element>();
  const found: Locator[] = [];
  for (const element of elements) {
    const within = element.isConnected ? [element, ...Array.from(element.querySelectorAll(NAMED)).slice(0, 20)] : [];
    for (const candidate of within) {
      if (found.length >= APPEARED_MAX) return found;
      if (seen.has(candidate) || !isNamed(candidate) || isOwn(candidate) || !isVisible(candidate)) continue;
      seen.add(candidate);
      const best = locatorsOf(candidate)[0];
      if (best && best.by !== "css") found.push(best);
    }
  }
  return found;
}

function isNamed(element: Element): boolean {
  return element.hasAttribute("data-testid") || ROLES.has(roleOf(element) ?? "");
}
