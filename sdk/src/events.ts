/** `Kriptik.on(..)`: what a page or a test can listen to. */
import { attempt } from "./browser/guard";
import type { IncidentState, Report } from "./types";

export interface ShownState { open: boolean; stage: string | null; incident: string | null; client_event_id: string | null }

export interface Events {
  /** Something was noticed and goes (or, in shadow mode, would go) to the server. */
  detect: Report;
  /** A state of one of the user's incidents arrived. */
  message: IncidentState;
  /** What the overlay shows changed. */
  state: ShownState;
}

export class Emitter {
  private readonly listeners = new Map<keyof Events, Set<(value: never) => void>>();

  on<K extends keyof Events>(name: K, fn: (value: Events[K]) => void): () => void {
    if (!["detect", "message", "state"].includes(name)) throw new Error(`Kriptik.on: no event "${String(name)}"; use detect, message or state`);
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(fn));
    return () => set.delete(fn);
  }

  emit<K extends keyof Events>(name: K, value: Events[K]): void {
    for (const fn of this.listeners.get(name) ?? []) attempt("listener", () => (fn as (value: Events[K]) => void)(value), undefined);
  }
}
