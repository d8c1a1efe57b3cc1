/**
 * Trusted user input as actions. Capture phase, so that a handler that answers synchronously answers after we know of
 * the click; the clock of a click starts at its pointerdown, because menus open on mousedown.
 */
import { PRESS_MS } from "../constants";
import { listen, Undo } from "../browser/guard";
import type { Action } from "../types";
import { controlOf, describe, isTextField } from "./element";
import type { Journey } from "./journey";
import { isMasked, isSecretField, shapeOfField } from "./mask";
import { isOwn } from "./visible";

export interface Acted {
  action: Action;
  /** The control meant, null for a click on nothing in particular. */
  control: Element | null;
  event: Event;
  /** performance time at which answers begin to count. */
  since: number;
}

export interface InputPorts {
  journey: Journey;
  now: () => number;
  /** A press began: whatever moves from here on may be its answer. */
  pressed: () => void;
  acted: (acted: Acted) => void;
}

const LOGGED_KEYS = new Set(["Enter", "Escape"]);
/** ms from a key to the click that the browser makes of it. */
const KEY_CLICK_MS = 100;

const targetOf = (event: Event): Element | null => {
  const first = event.composedPath()[0];
  return first instanceof Element ? first : null;
};

export class Input {
  private down: { at: number; target: Element } | null = null;
  private enter: { at: number; action: Action } | null = null;
  private filling: { element: Element; action: Action } | null = null;
  private readonly undo = new Undo();

  constructor(private readonly ports: InputPorts) {}

  start(): void {
    const on = (type: string, fn: (event: Event, target: Element) => void): void =>
      this.undo.add(listen(window, type, (event: Event) => {
        const target = targetOf(event);
        if (event.isTrusted && target && !event.composedPath().some((node) => node instanceof Element && isOwn(node))) fn(event, target);
      }));
    on("pointerdown", (_, target) => {
      this.down = { at: this.ports.now(), target };
      this.ports.pressed();
    });
    on("click", (event, target) => this.click(event as MouseEvent, target));
    on("keydown", (event, target) => this.key(event as KeyboardEvent, target));
    on("input", (event, target) => this.input(event, target));
    on("change", (event, target) => this.change(event, target));
  }

  stop(): void {
    this.undo.stop();
  }

  private click(event: MouseEvent, target: Element): void {
    const now = this.ports.now();
    const byKey = event.detail === 0 && this.enter && now - this.enter.at < KEY_CLICK_MS ? this.enter.action : null;
    const control = controlOf(target);
    this.filling = null;
    if (isToggle(control)) return; // its change event tells more
    const fromDown = this.down && now - this.down.at < PRESS_MS && event.detail > 0;
    const action = byKey ?? this.ports.journey.add("click", describe(control ?? target));
    this.ports.acted({ action, control, event, since: fromDown && this.down ? this.down.at : now });
  }

  private key(event: KeyboardEvent, target: Element): void {
    if (!LOGGED_KEYS.has(event.key) || event.isComposing || event.repeat) return;
    const typing = isTextField(target);
    if (event.key === "Enter" && !typing) return; // the click that follows is the action
    this.filling = null;
    const action = this.ports.journey.add("press", describe(target), { key: event.key });
    if (event.key === "Enter") this.enter = { at: this.ports.now(), action };
    this.ports.acted({ action, control: null, event, since: this.ports.now() });
  }

  /** Typing in one field is one action with the final shape. */
  private input(event: Event, target: Element): void {
    if (!isTextField(target)) return;
    const value = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? target.value : (target.textContent ?? "");
    const facts = { value: isMasked(target) ? null : value.slice(0, 500), shape: shapeOfField(target, value) };
    if (this.filling?.element === target) {
      Object.assign(this.filling.action, facts);
      this.ports.journey.changed();
      return;
    }
    const action = this.ports.journey.add("fill", describe(target), facts);
    this.filling = { element: target, action };
    this.ports.acted({ action, control: null, event, since: this.ports.now() });
  }

  private change(event: Event, target: Element): void {
    const acted = this.changed(target);
    if (acted) this.ports.acted({ action: acted, control: target, event, since: this.ports.now() });
  }

  /** Options, ticks and files: their words come from the page, not from the user's keyboard. */
  private changed(target: Element): Action | null {
    const { journey } = this.ports;
    if (target instanceof HTMLSelectElement) {
      return journey.add("select", describe(target), { value: target.value, shape: shapeOfField(target, target.value) });
    }
    if (!(target instanceof HTMLInputElement)) return null;
    if (target.type === "checkbox" || target.type === "radio") {
      return journey.add("check", describe(target), { value: String(target.checked) });
    }
    if (target.type !== "file") return null;
    const sizes = Array.from(target.files ?? []).map((file) => `${file.name.split(".").pop() ?? ""} ${file.size}`);
    return journey.add("upload", describe(target), { shape: sizes.join(", ").slice(0, 80) });
  }
}

function isToggle(control: Element | null): boolean {
  const field = control instanceof HTMLLabelElement ? control.control : control;
  return field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio") && !isSecretField(field);
}
