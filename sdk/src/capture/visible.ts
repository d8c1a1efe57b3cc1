/** What a person can see, and whether it tells of trouble. */
import { OVERLAY_TAG } from "../constants";

const NOT_SEEN = new Set(["SCRIPT", "STYLE", "LINK", "META", "NOSCRIPT", "TEMPLATE", "HEAD", "TITLE"]);

/** Words by which pages tell of trouble, in the languages of most hosts; roles below work for all others. */
const TROUBLE =
  /error|fail|went wrong|invalid|incorrect|sorry|unable|could ?n[o']t|couldn’t|can ?n[o']t|can’t|try again|denied|unavailable|problem|expired|declined|not enough|insufficient|required|missing|too many|limit|oops|not found|offline|fehler|ungültig|erreur|échec|impossible|échoué|erro\b|falha|fallo|错误|失败|エラー|失敗/i;
const TROUBLE_PLACE = "[role=alert],[role=alertdialog],[aria-live=assertive],[aria-invalid=true],dialog[open]";
const NOTICE_CLASS = /error|alert|danger|invalid|warning/i;
/** Characters of a message; longer texts are content. */
const NOTICE_CHARS = 300;

export function isOwn(node: Node | null): boolean {
  if (!node) return false;
  const element = node instanceof Element ? node : node.parentElement;
  if (element?.closest(OVERLAY_TAG)) return true;
  const root = node.getRootNode();
  return root instanceof ShadowRoot && root.host.localName === OVERLAY_TAG;
}

/** Has a box on the page. jsdom and closed trees without layout count by their style alone. */
export function isVisible(element: Element): boolean {
  if (!element.isConnected || NOT_SEEN.has(element.tagName)) return false;
  if (typeof element.checkVisibility === "function") {
    return element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && hasSize(element);
  }
  for (let node: Element | null = element; node; node = node.parentElement) {
    const style = getComputedStyle(node);
    if (style.display === "none" || style.visibility === "hidden" || style.opacity === "0") return false;
  }
  return true;
}

/** One-pixel images and empty mount points are nobody's answer. */
function hasSize(element: Element): boolean {
  const box = element.getBoundingClientRect();
  if (box.width > 2 && box.height > 2) return true;
  return (element.textContent ?? "").trim() !== "" && element.getClientRects().length > 0;
}

/** Does this element, as it stands, tell the user that something went wrong? */
export function tellsTrouble(element: Element): boolean {
  if (isOwn(element) || !isVisible(element)) return false;
  const words = (element.textContent ?? "").trim();
  const place = element.closest(TROUBLE_PLACE);
  if (place && (words !== "" || place.matches("[aria-invalid=true]"))) return true;
  // A whole section painted anew holds "required" or "limit" somewhere: only a short text is a message.
  if (words === "" || words.length > NOTICE_CHARS) return false;
  const label = `${typeof element.className === "string" ? element.className : ""} ${element.id}`;
  return TROUBLE.test(words) || NOTICE_CLASS.test(label);
}

/** Is a message of trouble on the page at all, in a place that is made for it? */
export function alertShown(): boolean {
  const places = Array.from(document.querySelectorAll(TROUBLE_PLACE)).slice(0, 20);
  return places.some((element) => tellsTrouble(element));
}

export const soundsLikeTrouble = (words: string): boolean => TROUBLE.test(words);
