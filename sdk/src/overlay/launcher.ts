/**
 * The host element with its shadow root and the Help button: all of the overlay that every page loads. The panel is
 * drawn into the same root by the overlay chunk.
 */
import { listen, Undo } from "../browser/guard";
import { OVERLAY_TAG } from "../constants";
import { styleAdd } from "./style";

const HELP_LABEL = "Help";

const CSS = `:host{all:initial;position:fixed;inset:0;z-index:2147483647;pointer-events:none;
font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.help{all:unset;box-sizing:border-box;position:absolute;right:20px;bottom:20px;display:flex;align-items:center;gap:8px;height:44px;
padding:0 16px 0 13px;border-radius:22px;pointer-events:auto;cursor:pointer;color:#3a2a10;font-weight:600;font-size:14px;
background:linear-gradient(180deg,#fffdf8e6,#fff4dfe6);-webkit-backdrop-filter:blur(14px);backdrop-filter:blur(14px);
border:1px solid #d9932a59;box-shadow:0 1px 0 #ffffffb3 inset,0 6px 20px #2d1c002e;transition:transform .18s,box-shadow .18s}
.help:hover{transform:translateY(-1px);box-shadow:0 1px 0 #ffffffb3 inset,0 10px 26px #2d1c0038}
.help:focus-visible{outline:3px solid #f0a32f;outline-offset:2px}
.help svg{width:19px;height:19px;color:#b86e08}
.help[hidden]{display:none}
@media(prefers-color-scheme:dark){.help{color:#fbead0;background:linear-gradient(180deg,#3a3026e6,#261f18e6);
border-color:#f0b35a4d;box-shadow:0 1px 0 #ffffff14 inset,0 6px 20px #0008}.help svg{color:#f5b04c}}
@media(max-width:480px){.help{right:12px;bottom:12px;width:44px;padding:0;justify-content:center}.help span{position:absolute;clip-path:inset(50%)}}
@media(prefers-reduced-motion:reduce){.help{transition:none}}
@media print{:host{display:none}}`;

const SVG = "http://www.w3.org/2000/svg";

function lifebuoy(): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "1.9", "stroke-linecap": "round", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 8.4a3.6 3.6 0 1 0 0 7.2 3.6 3.6 0 0 0 0-7.2M5.7 5.7l3.7 3.7M14.6 14.6l3.7 3.7M18.3 5.7l-3.7 3.7M9.4 14.6l-3.7 3.7");
  svg.append(path);
  return svg;
}

export interface Launcher {
  root: ShadowRoot;
  /** Puts the element back where a page that painted itself anew has thrown it out. */
  attach: () => void;
  remove: () => void;
}

export function launcherCreate(nonce: string, withHelp: boolean, opened: () => void): Launcher {
  const host = document.createElement(OVERLAY_TAG);
  const root = host.attachShadow({ mode: "open" });
  styleAdd(root, CSS, nonce);
  const undo = new Undo();
  if (withHelp) {
    const button = document.createElement("button");
    button.className = "help";
    button.type = "button";
    button.dataset.part = "help";
    const label = document.createElement("span");
    label.textContent = HELP_LABEL;
    button.append(lifebuoy(), label);
    undo.add(listen(button, "click", opened));
    root.append(button);
  }
  const attach = (): void => {
    if (!host.isConnected) (document.body ?? document.documentElement).append(host);
  };
  attach();
  undo.add(() => host.remove());
  return { root, attach, remove: () => undo.stop() };
}
