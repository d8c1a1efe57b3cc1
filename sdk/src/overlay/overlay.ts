/** Which card is shown, as panel or as chip, and what the user's clicks mean. */
import { later, listen, Undo } from "../browser/guard";
import { CHIP_MS } from "../constants";
import type { IncidentState } from "../types";
import { CSS } from "./css";
import { h } from "./dom";
import { callsUser, type Card, Cards, stageOf } from "./model";
import { Pace } from "./pace";
import type { Noticed, Overlay, OverlayPorts } from "./ports";
import { styleAdd } from "./style";
import { chipView, panelView, type Mode, type PanelActs } from "./views";

type Shown = "hidden" | "panel" | "chip";

/** Long enough for the try_again frame to leave before the page goes. */
const RELOAD_MS = 250;

class OverlayController implements Overlay {
  private readonly cards = new Cards();
  private readonly pace: Pace;
  private readonly undo = new Undo();
  private readonly box = h("div", { class: "kt" });
  private readonly live = h("div", { class: "live", role: "status", "aria-live": "polite" });
  private current: Card | null = null;
  private shown: Shown = "hidden";
  private mode: Mode = "status";
  private drawnStage = "";
  private returnTo: HTMLElement | null = null;
  private shrink: (() => void) | null = null;

  constructor(private readonly ports: OverlayPorts) {
    this.pace = new Pace(ports.now);
    styleAdd(ports.root, CSS, ports.nonce);
    ports.root.append(this.live, this.box);
    this.undo.add(
      listen(document, "keydown", (event: KeyboardEvent) => {
        if (event.key === "Escape" && this.shown === "panel") this.close();
      }),
      () => this.box.remove(), () => this.live.remove(), () => this.pace.stop(), () => this.shrink?.(),
    );
  }

  noticed(noticed: Noticed): void {
    // A fresh trouble while the user writes to us must not take the words away.
    const card = this.cards.noticed(noticed);
    if (this.mode !== "status" && this.shown === "panel") return;
    this.current = card;
    this.pace.run(() => this.show("panel"), true);
  }

  bound(clientEventId: string, incident: string): void {
    const card = this.cards.bound(clientEventId, incident);
    if (card && card === this.current && card.state) this.pace.run(() => this.redraw());
  }

  incident(state: IncidentState): void {
    const card = this.cards.applied(state);
    if (state.stage === "resolved" && this.ports.wasTried(state.incident)) card.tried = true;
    if (card.tried && !state.ask_rating) return;
    const busy = this.current !== null && this.current !== card && this.shown !== "hidden";
    if (busy && !(this.shown === "chip" && callsUser(card))) return;
    this.current = card;
    this.pace.run(() => this.arrived(card));
  }

  openHelp(): void {
    if (this.shown === "panel" && this.mode !== "help") this.current = null;
    this.mode = "help";
    this.show("panel");
    this.focusFirst();
  }

  remove(): void {
    this.undo.stop();
  }

  /** A state came for the card that is to be shown. */
  private arrived(card: Card): void {
    if (this.mode !== "status" && this.shown === "panel") return;
    if (this.shown === "panel") this.redraw();
    else this.show(callsUser(card) ? "panel" : "chip");
  }

  private show(shown: Shown): void {
    if (shown === "panel" && this.shown !== "panel") this.returnTo = (this.ports.root.activeElement ?? document.activeElement) as HTMLElement | null;
    this.shown = shown;
    this.drawnStage = "";
    this.redraw(true);
  }

  private redraw(entering = false): void {
    const { current, mode } = this;
    const stage = mode === "help" || !current ? "help" : stageOf(current);
    const fresh = entering || this.drawnStage !== stage;
    this.drawnStage = stage;
    if (this.shown === "panel") {
      const kept = this.box.querySelector("textarea")?.value ?? "";
      const focused = this.ports.root.activeElement?.getAttribute("data-part");
      this.box.replaceChildren(panelView(current, mode, this.acts(), { entering, fresh }));
      const area = this.box.querySelector("textarea");
      if (area && kept && !entering) area.value = kept;
      if (focused) this.box.querySelector<HTMLElement>(`[data-part="${CSS_ESCAPE(focused)}"]`)?.focus();
      this.live.textContent = fresh ? (this.box.querySelector("h2")?.textContent ?? "") : this.live.textContent;
    } else if (this.shown === "chip" && current) {
      this.box.replaceChildren(chipView(current, () => this.expand(), entering));
      this.live.textContent = this.box.textContent;
    } else this.box.replaceChildren();
    this.ports.root.host.toggleAttribute("data-open", this.shown === "panel");
    this.plan();
    this.tell();
  }

  /** A status that only runs on shrinks to a chip, unless the user is busy in the panel. */
  private plan(): void {
    this.shrink?.();
    this.shrink = null;
    const card = this.current;
    if (this.shown !== "panel" || this.mode !== "status" || !card || callsUser(card) || card.tried) return;
    this.shrink = later("shrink", CHIP_MS, () => {
      if (!this.box.querySelector(":focus-within")) this.minimise();
      else this.plan();
    });
  }

  private acts(): PanelActs {
    return {
      close: () => this.close(),
      tellMore: () => this.tellMore(),
      tryAgain: () => this.tryAgain(),
      answer: (choice, text) => this.answer(choice, text),
      rate: (stars) => this.rate(stars),
      send: (text) => this.send(text),
    };
  }

  private expand(): void {
    this.mode = "status";
    this.show("panel");
    this.focusFirst();
  }

  private minimise(): void {
    this.mode = "status";
    this.show(this.current ? "chip" : "hidden");
    this.giveBackFocus();
  }

  /** Closing a trouble that is being worked on keeps its chip; anything else is done with. */
  private close(): void {
    const card = this.current;
    const wasWriting = this.mode !== "status";
    this.mode = "status";
    if (card && wasWriting) return this.expand();
    if (card && !callsUser(card) && !card.tried) return this.minimise();
    if (card) this.dismiss(card);
    this.next();
  }

  private dismiss(card: Card): void {
    if (card.state) this.ports.dismissed(card.state);
    this.cards.remove(card);
  }

  private next(): void {
    this.current = this.cards.next();
    this.show(this.current ? (callsUser(this.current) ? "panel" : "chip") : "hidden");
    if (this.shown !== "panel") this.giveBackFocus();
  }

  private tellMore(): void {
    this.mode = "tell";
    this.redraw();
    this.focusFirst();
  }

  /** Words go to the open question where there is one; else they are a report of their own. */
  private send(text: string): void {
    const { current, mode } = this;
    const question = current?.state?.question;
    if (mode === "status" && question) return this.answer(null, text);
    const report = this.ports.help(text);
    this.mode = "status";
    if (mode === "tell" && current) return this.redraw();
    this.current = this.cards.noticed({ client_event_id: report, action_id: null, kind: "USER_REPORTED", name: null, reasons: ["help_clicked"] });
    this.pace.run(() => this.show("panel"), true);
  }

  private answer(choice: string | null, text: string | null): void {
    const card = this.current;
    if (!card?.incident || !card.state?.question) return;
    this.ports.answer(card.incident, card.state.question.id, choice, text);
    card.state = { ...card.state, question: null, stage: "diagnosing", progress: null };
    this.minimise();
  }

  private rate(stars: number): void {
    const card = this.current;
    if (!card?.incident) return;
    card.stars = stars;
    this.ports.rate(card.incident, stars, null);
    if (card.state) this.ports.dismissed(card.state);
    this.redraw();
  }

  private tryAgain(): void {
    const card = this.current;
    if (!card?.incident) return;
    this.ports.tryAgain(card.incident);
    if (stageOf(card) !== "resolved") return this.minimise();
    this.ports.tried(card.incident);
    if (card.stars && card.state) this.ports.dismissed(card.state);
    later("reload", RELOAD_MS, () => this.ports.reload());
  }

  private focusFirst(): void {
    const wanted = ["textarea", ".btn.main", ".panel"].map((selector) => this.box.querySelector<HTMLElement>(selector));
    wanted.find((element) => element !== null)?.focus({ preventScroll: true });
  }

  private giveBackFocus(): void {
    const { returnTo } = this;
    if (returnTo?.isConnected && returnTo !== document.body) returnTo.focus({ preventScroll: true });
    this.returnTo = null;
  }

  private tell(): void {
    const card = this.current;
    this.ports.shows({
      open: this.shown === "panel", stage: card ? stageOf(card) : null, incident: card?.incident ?? null, client_event_id: card?.report ?? null,
    });
  }
}

const CSS_ESCAPE = (text: string): string => text.replace(/["\\]/g, "\\$&");

export function overlayCreate(ports: OverlayPorts): Overlay {
  return new OverlayController(ports);
}
