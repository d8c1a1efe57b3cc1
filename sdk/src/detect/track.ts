/** What became of one action: a record of facts; the judgement stands in tracker.ts. */
import type { Acted } from "../capture/input";
import type { Change } from "../capture/mutations";
import { isOwn, isVisible } from "../capture/visible";
import { traceId } from "../browser/ids";
import type { Action, ErrorInfo, Locator, RequestInfo } from "../types";
import { formDigest } from "./form_digest";

export interface TrackedRequest extends RequestInfo {
  pending: boolean;
  /** Failed, or a success that carries an error. */
  bad: boolean;
  reason: "request_failed" | "error_in_answer" | null;
  /** performance time. */
  started: number;
  ended: number;
}

export interface Printed { text: string; isError: boolean }

/** Elements kept for "did this tell the user" and "what appeared". */
const KEPT_ELEMENTS = 60;

export class Track {
  readonly trace = traceId();
  readonly effects = new Set<string>();
  readonly requests: TrackedRequest[] = [];
  readonly changed: Element[] = [];
  readonly added: Element[] = [];
  readonly thrown: ErrorInfo[] = [];
  readonly printed: Printed[] = [];
  /** A person expects an answer to this. */
  watched = false;
  /** ms; taken when the action began, for the server may change the limit while we wait. */
  silentMs = 0;
  /** The silent limit is still to come. */
  awaited = false;
  /** Judged: a report went out, or it was found healthy. One action, one verdict. */
  closed = false;
  lastLife: number;
  private readonly fields = formDigest();

  constructor(readonly action: Action, readonly control: Element | null, readonly since: number, readonly acted: Acted) {
    this.lastLife = since;
  }

  effect(name: string, now: number): void {
    this.effects.add(name);
    this.lastLife = now;
    this.action.after.ms ??= Math.max(0, Math.round(now - this.since));
  }

  change(change: Change, now: number): void {
    if (this.changed.length < KEPT_ELEMENTS) this.changed.push(change.element);
    if (change.kind !== "removed" && this.added.length < KEPT_ELEMENTS) this.added.push(change.element);
    if (!change.visible) return;
    this.effect("dom", now);
    this.action.after.mutated = true;
  }

  /** A last look before a verdict, at what tells of itself by no event: a fade-in that ended, a field that a script filled. */
  look(now: number): void {
    if (this.effects.size > 0) return;
    if (this.added.some((element) => !isOwn(element) && isVisible(element))) this.effect("dom", now);
    else if (formDigest() !== this.fields) this.effect("field", now);
  }

  pending(): TrackedRequest[] {
    return this.requests.filter((request) => request.pending);
  }

  bad(): TrackedRequest[] {
    return this.requests.filter((request) => request.bad);
  }

  /** A failed request that a later one of the same kind made good. */
  recovered(failed: TrackedRequest): boolean {
    return this.requests.some((other) =>
      other.started >= failed.ended && other.method === failed.method && other.path === failed.path && (other.pending || !other.bad));
  }

  appeared(found: Locator[]): void {
    this.action.after.appeared = found;
  }
}
