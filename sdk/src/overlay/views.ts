/** A card as panel and as chip. */
import { celebrate } from "./celebrate";
import { animate, h } from "./dom";
import { icon } from "./icons";
import { markdown } from "./markdown";
import { type Card, stageOf, wordsOf } from "./model";
import { button, choices, head, orb, progressBar, stars, steps, textField } from "./parts";
import { CHIP, TEXT } from "./text";

/** `help`: the user opened it; `tell`: adds words to a card; `status`: what is going on. */
export type Mode = "status" | "help" | "tell";

export interface PanelActs {
  close: () => void;
  tellMore: () => void;
  tryAgain: () => void;
  answer: (choice: string | null, text: string | null) => void;
  rate: (stars: number) => void;
  send: (text: string) => void;
}

export interface Moment {
  /** The panel was not there before. */
  entering: boolean;
  /** The stage is another than the one drawn before. */
  fresh: boolean;
}

export function panelView(card: Card | null, mode: Mode, acts: PanelActs, moment: Moment): HTMLElement {
  const stage = mode === "help" || !card ? "help" : stageOf(card);
  const inner = mode === "status" && card ? statusParts(card, acts) : writeParts(mode, acts);
  const panel = h("section", { class: "panel", part: "panel", role: "dialog", "aria-modal": "false", "aria-label": TEXT.dialog, tabindex: -1 },
    head(stage, card?.tried === true && mode === "status"),
    h("button", { type: "button", class: "x", part: "close", "aria-label": TEXT.close, on: { click: acts.close } }, icon("close")),
    ...inner);
  if (moment.entering) {
    animate(panel, [{ opacity: 0, transform: "translateY(14px) scale(.97)" }, { opacity: 1, transform: "none" }],
      { duration: 320, easing: "cubic-bezier(.16,1,.3,1)" });
  } else if (moment.fresh) {
    for (const part of panel.querySelectorAll("h2,.body")) animate(part, [{ opacity: 0, transform: "translateY(6px)" }, { opacity: 1, transform: "none" }], { duration: 260, easing: "ease-out" });
  }
  const mark = panel.querySelector(".orb.good");
  if (mark && moment.fresh) celebrate(mark);
  return h("div", { class: "veil" }, panel);
}

function statusParts(card: Card, acts: PanelActs): (Node | null)[] {
  const { title, body } = wordsOf(card);
  const stage = stageOf(card);
  const { state } = card;
  const question = state?.question ?? null;
  const parts: (Node | null)[] = [h("h2", { part: "title" }, title), h("div", { class: "body", part: "body" }, ...markdown(body))];
  if (!card.tried) parts.push(progressBar(state?.progress ?? null, stage), steps(stage));
  if (question && question.text !== body) parts.push(h("div", { class: "body", part: "question" }, ...markdown(question.text)));
  if (question?.choices.length) parts.push(choices(question, (choice) => acts.answer(choice, null)));
  if (question?.free_text) {
    const field = textField(question.text, TEXT.answerPlaceholder, question.choices.length ? "" : "main", acts.send, buttons(card, acts));
    parts.push(field.area, field.row);
  } else parts.push(h("div", { class: "row" }, ...buttons(card, acts)));
  if (state?.ask_rating || card.stars) parts.push(stars(card.stars, acts.rate));
  return parts;
}

/** Before the server has spoken, one can already add words or put it aside. */
const LOCAL_ACTIONS = ["tell_more", "not_now"];

function buttons(card: Card, acts: PanelActs): HTMLElement[] {
  if (card.tried || (card.noticed?.kind === "USER_REPORTED" && !card.state)) {
    return [button(TEXT.done, "not-now", card.stars || !card.tried ? "main" : "plain", acts.close)];
  }
  const offered = card.state?.actions ?? LOCAL_ACTIONS;
  const all: [string, () => HTMLElement][] = [
    ["try_again", () => button(TEXT.tryAgain, "try-again", "main", acts.tryAgain, "retry")],
    ["tell_more", () => button(TEXT.tellMore, "tell-more", "", acts.tellMore)],
    ["not_now", () => button(TEXT.notNow, "not-now", "plain", acts.close)],
  ];
  return all.filter(([name]) => offered.includes(name)).map(([, build]) => build());
}

function writeParts(mode: Mode, acts: PanelActs): (Node | null)[] {
  const tell = mode === "tell";
  const title = tell ? TEXT.tellTitle : TEXT.helpTitle;
  const field = textField(title, tell ? TEXT.tellPlaceholder : TEXT.helpPlaceholder, "main", acts.send,
    [button(TEXT.notNow, "not-now", "plain", acts.close)]);
  return [h("h2", { part: "title" }, title), h("div", { class: "body", part: "body" }, ...markdown(tell ? TEXT.tellBody : TEXT.helpBody)), field.area, field.row];
}

export function chipView(card: Card, open: () => void, entering: boolean): HTMLElement {
  const stage = stageOf(card);
  const share = card.state?.progress;
  const percent = typeof share === "number" && stage !== "resolved" ? h("small", {}, `${Math.round(share * 100)} %`) : null;
  const chip = h("button", { type: "button", class: "chip", part: "chip", "aria-label": `${TEXT.open}: ${CHIP[card.tried ? "tried" : stage]}`, on: { click: open } },
    orb(stage), h("span", { part: "stage", "data-stage": stage }, CHIP[card.tried ? "tried" : stage]), percent);
  if (entering) animate(chip, [{ opacity: 0, transform: "translateY(16px)" }, { opacity: 1, transform: "none" }], { duration: 300, easing: "cubic-bezier(.16,1,.3,1)" });
  return chip;
}
