/** Does a person expect this click to be answered at once, on this page? */
import { CANVAS_PX } from "../constants";
import { isTextField } from "../capture/element";

function isDisabled(control: Element): boolean {
  return control.matches(":disabled,[aria-disabled=true]") || control.closest("fieldset:disabled,[inert]") !== null;
}

/** A link that the browser follows by itself answers by itself. */
function followsLink(control: Element, event: Event): boolean {
  const link = control.closest("a[href]");
  if (!link || event.defaultPrevented) return false;
  const href = link.getAttribute("href") ?? "";
  if (/^javascript:/i.test(href) || href === "#") return false;
  if (!href.startsWith("#")) return true;
  return document.getElementById(decodeURIComponent(href.slice(1))) !== null;
}

const withModifier = (event: Event): boolean =>
  event instanceof MouseEvent && (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0);

/** Canvases answer in pixels that nobody tells us of. */
function hasCanvas(control: Element): boolean {
  if (control.closest("canvas")) return true;
  return Array.from(document.querySelectorAll("canvas")).some((canvas) => canvas.clientWidth > CANVAS_PX && canvas.clientHeight > CANVAS_PX);
}

/** Asked after the page's own handlers ran: `event.defaultPrevented` is final then. */
export function expectsAnswer(control: Element | null, event: Event): boolean {
  if (!control || event.type !== "click" || withModifier(event)) return false;
  const field = control instanceof HTMLLabelElement ? control.control : control;
  if (!field || isTextField(field) || isDisabled(field)) return false;
  if (field.matches("select,option,input[type=file],input[type=color],input[type=range],[contenteditable],iframe,video,audio")) return false;
  if (control instanceof HTMLLabelElement && field.matches("input")) return false;
  if (control.closest("[data-kriptik-ignore]")) return false;
  return !followsLink(control, event) && !hasCanvas(control);
}
