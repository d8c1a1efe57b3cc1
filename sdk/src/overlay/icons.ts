/** Line icons on a 24 px grid, drawn for this overlay. */
import type { Stage } from "../types";

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  spark: "M12 3.5v4M12 16.5v4M3.5 12h4M16.5 12h4M6 6l2.6 2.6M15.4 15.4 18 18M18 6l-2.6 2.6M8.6 15.4 6 18",
  search: "M10.8 4.2a6.6 6.6 0 1 0 0 13.2 6.6 6.6 0 0 0 0-13.2M15.6 15.6l4.6 4.6M8.2 10.8h5.2M10.8 8.2v5.2",
  bulb: "M12 3.4a6.1 6.1 0 0 0-3.6 11c.7.6 1.1 1.3 1.1 2.1h5c0-.8.4-1.5 1.1-2.1a6.1 6.1 0 0 0-3.6-11M9.8 19.4h4.4M10.8 21.6h2.4",
  wrench: "M14.9 6.1a4.1 4.1 0 0 0-5.3 5.2L4.2 16.7a2.2 2.2 0 0 0 3.1 3.1l5.4-5.4a4.1 4.1 0 0 0 5.2-5.3l-2.5 2.5-2.6-.4-.4-2.6z",
  shield: "M12 3.2 5 5.8v5.4c0 4.4 2.9 7.6 7 9.6 4.1-2 7-5.2 7-9.6V5.8zM9 11.9l2.2 2.2 4-4.2",
  check: "M5.2 12.6l4.4 4.4 9.2-9.6",
  question: "M9 9.2a3 3 0 1 1 4.5 2.6c-.9.5-1.5 1.1-1.5 2.1v.4M12 17.4v.1M12 3.2a8.8 8.8 0 1 0 0 17.6 8.8 8.8 0 0 0 0-17.6",
  retry: "M19.4 12a7.4 7.4 0 1 1-2.2-5.3M19.6 3.6v4h-4",
  people: "M9 11.4a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4M3.4 19c.4-3 2.6-4.8 5.6-4.8s5.2 1.8 5.6 4.8M15.6 5.4a3 3 0 0 1 0 5.7M17.2 14.6c2 .6 3.2 2.1 3.4 4.4",
  back: "M8.6 6.2 4.4 10.4l4.2 4.2M4.8 10.4h9.4a5 5 0 0 1 0 10h-2.4",
  lifebuoy: "M12 3.2a8.8 8.8 0 1 0 0 17.6 8.8 8.8 0 0 0 0-17.6M12 8.4a3.6 3.6 0 1 0 0 7.2 3.6 3.6 0 0 0 0-7.2M5.8 5.8l3.6 3.6M14.6 14.6l3.6 3.6M18.2 5.8l-3.6 3.6M9.4 14.6l-3.6 3.6",
  close: "M6.4 6.4l11.2 11.2M17.6 6.4 6.4 17.6",
  star: "M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8L3.6 9.7l5.8-.8z",
  send: "M4.2 11.8 20 4.4l-4.6 15.4-3.8-6.2zM11.6 13.6 20 4.4",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const attributes: Record<string, string> = {
    viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round",
    "stroke-linejoin": "round", "aria-hidden": "true", focusable: "false",
  };
  for (const [attribute, value] of Object.entries(attributes)) svg.setAttribute(attribute, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  path.setAttribute("pathLength", "1");
  svg.append(path);
  return svg;
}

export const STAGE_ICON: Record<Stage, IconName> = {
  detected: "spark", diagnosing: "search", root_cause_found: "bulb", fixing: "wrench", verifying: "shield",
  needs_input: "question", reproduction_request: "retry", resolved: "check", escalated: "people", rolled_back: "back",
};
