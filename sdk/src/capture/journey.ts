/**
 * The action log: what the user did in the last 60 s, across page loads of the same tab, in a form that a
 * reproduction can be compiled from.
 */
import { JOURNEY_CHARS, JOURNEY_MAX, JOURNEY_MS, JOURNEY_SAVE_MS } from "../constants";
import { later } from "../browser/guard";
import type { Action, ActionKind, ElementInfo } from "../types";
import { currentPath } from "./route";
import { storeRead, storeWrite } from "../browser/store";

const KEY = "kriptik:journey";

interface Saved { at: number; next: number; actions: Action[] }

export interface ActionFacts { value?: string | null; shape?: string | null; key?: string | null }

export class Journey {
  private actions: Action[] = [];
  private next = 1;
  private saving: (() => void) | null = null;

  constructor(private readonly clock: () => number) {}

  /** Takes up the journey of the previous page of this tab. */
  restore(): Action | null {
    const saved = storeRead<Saved>("sessionStorage", KEY);
    if (!saved || !Array.isArray(saved.actions)) return null;
    this.next = saved.next;
    this.actions = saved.actions.filter((action) => this.clock() - action.at < JOURNEY_MS);
    return this.actions[this.actions.length - 1] ?? null;
  }

  add(kind: ActionKind, element: ElementInfo | null, facts: ActionFacts = {}): Action {
    const action: Action = {
      id: `a${this.next++}`, kind, at: this.clock(), url: currentPath(), element,
      value: facts.value ?? null, shape: facts.shape ?? null, key: facts.key ?? null,
      after: { requests: [], navigated: null, mutated: false, appeared: [], ms: null },
    };
    this.actions.push(action);
    this.actions.splice(0, this.actions.length - JOURNEY_MAX);
    this.changed();
    return action;
  }

  last(): Action | null {
    return this.actions[this.actions.length - 1] ?? null;
  }

  /** Oldest first; clicks on nothing that did nothing are left out. */
  recent(): Action[] {
    const since = this.clock() - JOURNEY_MS;
    return this.actions.filter((action) => action.at >= since && !isIdleClick(action));
  }

  /** Something of an action became known; written soon, so that a page that is killed loses little. */
  changed(): void {
    this.saving ??= later("journey_save", JOURNEY_SAVE_MS, () => this.save());
  }

  save(): void {
    this.saving?.();
    this.saving = null;
    let actions = this.recent();
    while (actions.length > 1 && JSON.stringify(actions).length > JOURNEY_CHARS) actions = actions.slice(Math.ceil(actions.length / 2));
    storeWrite("sessionStorage", KEY, { at: this.clock(), next: this.next, actions } satisfies Saved);
  }
}

function isIdleClick(action: Action): boolean {
  const { after } = action;
  const still = !after.mutated && after.requests.length === 0 && after.navigated === null;
  return action.kind === "click" && action.element?.role === null && still;
}
