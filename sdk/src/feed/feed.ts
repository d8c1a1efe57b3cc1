/** The truth about this user's incidents as the server told it: whole states with versions; the higher one wins. */
import type { IncidentState } from "../types";
import { releaseCookieApply } from "./release_cookie";

export class Feed {
  private readonly states = new Map<string, IncidentState>();
  /** Which incident a report of this page became. */
  private readonly reports = new Map<string, string>();
  private readonly listeners = new Set<(state: IncidentState) => void>();

  snapshot(states: IncidentState[]): void {
    for (const state of states) this.apply(state);
  }

  apply(state: IncidentState): void {
    const known = this.states.get(state.incident);
    if (known && known.version >= state.version) return;
    this.states.set(state.incident, state);
    releaseCookieApply(state.incident, state.release);
    for (const listener of this.listeners) listener(state);
  }

  bind(clientEventId: string, incident: string): void {
    this.reports.set(clientEventId, incident);
  }

  incidentOf(clientEventId: string): string | null {
    return this.reports.get(clientEventId) ?? null;
  }

  get(incident: string): IncidentState | null {
    return this.states.get(incident) ?? null;
  }

  onChange(listener: (state: IncidentState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
