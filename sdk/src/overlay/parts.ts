/** The pieces of the panel, each from data to elements. */
import type { Question, Stage } from "../types";
import { h } from "./dom";
import { icon, STAGE_ICON, type IconName } from "./icons";
import { CHIP, STEP_OF, TEXT } from "./text";

const BUSY = new Set<Stage>(["detected", "diagnosing", "root_cause_found", "fixing", "verifying"]);

export function orb(stage: Stage | "help"): HTMLElement {
  const name: IconName = stage === "help" ? "lifebuoy" : STAGE_ICON[stage];
  const mood = stage === "resolved" ? " good" : stage !== "help" && BUSY.has(stage) ? " busy" : "";
  return h("div", { class: `orb${mood}` }, icon(name));
}

export function button(label: string, part: string, kind: string, act: () => void, glyph?: IconName): HTMLButtonElement {
  return h("button", { type: "button", class: `btn ${kind}`, part, on: { click: act } }, glyph ? icon(glyph) : null, label);
}

export function head(stage: Stage | "help", tried: boolean): HTMLElement {
  const words = stage === "help" ? null : h("div", { class: "stage", part: "stage", "data-stage": stage }, CHIP[tried ? "tried" : stage]);
  return h("div", { class: "head" }, orb(stage), h("div", {}, h("div", { class: "kicker" }, TEXT.brand), words));
}

export function steps(stage: Stage): HTMLElement | null {
  const at = STEP_OF[stage];
  if (at === null) return null;
  const finished = stage === "resolved";
  const item = (label: string, index: number): HTMLElement =>
    h("li", { class: index < at ? "past" : index === at ? "now" : "", "aria-current": index === at && "step" }, label);
  return h("ol", { class: finished ? "steps all" : "steps", part: "steps" }, ...TEXT.steps.map(item));
}

export function progressBar(progress: number | null, stage: Stage): HTMLElement | null {
  if (progress === null || !BUSY.has(stage)) return null;
  const share = Math.min(1, Math.max(0, progress));
  const fill = h("i");
  fill.style.transform = `scaleX(${share})`;
  return h("div", {
    class: "bar", part: "progress", role: "progressbar", "aria-label": TEXT.progress, "aria-valuemin": 0, "aria-valuemax": 100,
    "aria-valuenow": Math.round(share * 100),
  }, fill);
}

export function choices(question: Question, act: (choice: string) => void): HTMLElement {
  const row = question.choices.map((choice, index) =>
    button(choice.label, `answer-${choice.id}`, index === 0 ? "main grow" : "grow", () => act(choice.id)));
  return h("div", { class: "row", role: "group", "aria-label": question.text }, ...row);
}

export interface Field { area: HTMLTextAreaElement; row: HTMLElement }

/** `kind`: how strongly the send button calls; `rest`: what stands beside it. */
export function textField(label: string, placeholder: string, kind: string, send: (text: string) => void, rest: HTMLElement[]): Field {
  const area = h("textarea", { part: "input", rows: 3, maxlength: 2000, placeholder, "aria-label": label });
  const submit = button(TEXT.send, "send", kind, () => {
    const text = area.value.trim();
    if (text) send(text);
    else area.focus();
  }, "send");
  // Ctrl+Enter sends; keys typed here are none of the page's shortcuts.
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit.click();
  });
  return { area, row: h("div", { class: "row" }, submit, ...rest) };
}

export function stars(given: number, rate: (stars: number) => void): HTMLElement {
  const star = (count: number): HTMLElement =>
    h("button", {
      type: "button", part: `star-${count}`, class: count <= given ? "on" : "", role: "radio", "aria-checked": String(count === given),
      "aria-label": TEXT.star(count), on: { click: () => rate(count), pointerenter: () => glow(count), pointerleave: () => glow(given) },
    }, icon("star"));
  const row = h("div", { class: "stars", part: "stars", role: "radiogroup", "aria-label": TEXT.rate }, ...[1, 2, 3, 4, 5].map(star));
  const glow = (count: number): void => {
    for (const [index, element] of Array.from(row.children).entries()) element.classList.toggle("on", index < count);
  };
  return h("div", { class: "ask" }, h("b", {}, given ? TEXT.rated : TEXT.rate), row);
}
