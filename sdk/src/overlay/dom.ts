/** Elements from parts; words only ever as text nodes. */
import { guard } from "../browser/guard";

export type Child = Node | string | null | false;

export interface Props {
  class?: string;
  /** Stable hook for tests: `data-part`. */
  part?: string;
  on?: Record<string, (event: Event) => void>;
  [attribute: string]: unknown;
}

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false || name === "on") continue;
    if (name === "class") element.className = String(value);
    else if (name === "part") element.dataset.part = String(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [type, listener] of Object.entries(props.on ?? {})) element.addEventListener(type, guard(`overlay_${type}`, listener));
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

export const reducedMotion = (): boolean => window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? true;

/** Web Animations where there are any and the user wants motion. */
export function animate(element: Element, frames: Keyframe[], options: KeyframeAnimationOptions): Animation | null {
  if (reducedMotion() || typeof element.animate !== "function") return null;
  return element.animate(frames, options);
}
