/**
 * The causal chain of every action: click -> effects and requests -> answers -> what the user was told. Judges each
 * action once. See docs/protocol.md for the reasons it gives.
 */
import {
  ACTION_MAX_MS, ATTRIBUTION_MS, BACKGROUND_MS, BACKGROUND_TIMES, EXCEPTION_GRACE_MS, OUTCOME_QUIET_MS, SCROLL_ANSWER_MS,
  SWALLOWED_GRACE_MS, TOLD_GRACE_MS,
} from "../constants";
import type { Acted } from "../capture/input";
import type { Change } from "../capture/mutations";
import type { Settled, Started, Ticket } from "../capture/network";
import { traceHeaders } from "../capture/network";
import { soundsLikeTrouble } from "../capture/visible";
import { later } from "../browser/guard";
import { traceId } from "../browser/ids";
import type { Config, ErrorInfo } from "../types";
import { appearedLocators } from "./appeared";
import type { Finding } from "./finding";
import { finding } from "./finding";
import { wasTold } from "./told";
import { Track, type TrackedRequest } from "./track";
import { expectsAnswer } from "./watchable";

export interface TrackerPorts {
  now: () => number;
  epoch: () => number;
  config: () => Config;
  /** Reads queued mutations, so that a verdict knows all that was painted. */
  flush: () => void;
  found: (finding: Finding) => void;
  /** An action ended well: its facts are complete. */
  healthy: (track: Track) => void;
  /** A request began (`pending`) or ended. */
  request: (request: TrackedRequest) => void;
  /** Trouble is likely: fetch what the popup needs. */
  suspected: () => void;
  journeyChanged: () => void;
}

/** ms after a click in which these can be its answer; later ones are the user's own next move. */
const EFFECT_WINDOWS: Record<string, number> = { field: 100, focus: 500, selection: 300, scroll: SCROLL_ANSWER_MS, motion: 600,
  beacon: 300, websocket: 300 };
/** Share of the silent limit after which a still unanswered click makes us fetch the overlay. */
const SUSPECT_SHARE = 0.5;

export class Tracker {
  private tracks: Track[] = [];
  private pressedAt = -Infinity;
  /** Answers between a pointerdown and its click: menus open on mousedown. */
  private early: { changes: Change[]; effects: [string, Element | undefined][] } | null = null;
  private readonly page = traceId();
  private readonly background = new Map<string, number[]>();

  constructor(private readonly ports: TrackerPorts) {}

  pressed(): void {
    this.pressedAt = this.ports.now();
    this.early = { changes: [], effects: [] };
  }

  /** No press and no living action: what happens now happens by itself. */
  idle(): boolean {
    const now = this.ports.now();
    return now - this.pressedAt > ATTRIBUTION_MS && !this.tracks.some((track) => this.owns(track, now));
  }

  act(acted: Acted): Track {
    this.pressedAt = this.ports.now();
    const track = new Track(acted.action, acted.control, acted.since, acted);
    for (const older of this.tracks) this.finish(older);
    this.tracks = [...this.tracks.filter((older) => this.ports.now() - older.since < ACTION_MAX_MS), track];
    const early = acted.since < this.ports.now() ? this.early : null;
    this.early = null;
    if (early?.changes.length) this.changed(early.changes);
    for (const [name, target] of early?.effects ?? []) this.effect(name, target);
    // After the page's handlers: preventDefault and a synchronous exception are known then.
    later("judge_begin", 0, () => this.begin(track));
    return track;
  }

  /** The action that a request or an exception now belongs to. */
  current(): Track | null {
    const track = this.tracks[this.tracks.length - 1];
    return track && this.owns(track, this.ports.now()) ? track : null;
  }

  effect(name: string, target?: Element): void {
    const now = this.ports.now();
    const limit = EFFECT_WINDOWS[name] ?? ACTION_MAX_MS;
    this.early?.effects.push([name, target]);
    for (const track of this.open()) {
      if (now - track.since > limit) continue;
      const { control } = track;
      if (target && control && (control.contains(target) || target.contains(control))) continue;
      track.effect(name, now);
    }
  }

  changed(changes: Change[]): void {
    const now = this.ports.now();
    this.early?.changes.push(...changes);
    for (const track of this.open()) for (const change of changes) track.change(change, now);
  }

  navigated(path: string): void {
    const now = this.ports.now();
    for (const track of this.open()) track.effect("navigation", now);
    const track = this.current();
    if (track) track.action.after.navigated = path;
    this.ports.journeyChanged();
  }

  leaving(): void {
    for (const track of this.open()) {
      track.effect("leaving", this.ports.now());
      this.finish(track);
    }
  }

  requestStarted(started: Started): Ticket {
    const now = this.ports.now();
    const key = `${started.method} ${started.path}`;
    const track = this.isPolling(key, now) ? null : this.current();
    const request: TrackedRequest = {
      action_id: track?.action.id ?? null, method: started.method, path: started.path, status: 0, ms: 0, at: this.ports.epoch(),
      trace_id: track?.trace ?? this.page, body_shape: started.bodyShape, response_excerpt: null,
      pending: true, bad: false, reason: null, started: now, ended: 0,
    };
    this.ports.request(request);
    track?.requests.push(request);
    if (track) track.lastLife = now;
    if (track?.watched) this.watchSlow(track, request);
    return {
      headers: traceHeaders(request.trace_id, request.action_id),
      settled: (end) => this.requestSettled(track, request, end),
    };
  }

  thrown(error: ErrorInfo, reason: string): void {
    const track = this.current();
    track?.thrown.push(error);
    if (track?.closed) return;
    this.ports.suspected();
    later("judge_thrown", EXCEPTION_GRACE_MS, () => {
      const rest = { track, error, element: track?.control ?? null, quiet: track === null };
      this.report(track, finding("ERROR", [reason, ...this.followUps(track)], `${error.type}: ${error.message}`, rest));
    });
  }

  /** A console.error alone is nothing; with an action that nobody answered it is a swallowed failure. */
  printed(text: string, isError: boolean): void {
    const track = this.current();
    if (!track || (!isError && !soundsLikeTrouble(text))) return;
    track.printed.push({ text, isError });
    if (!track.watched && track.acted.event.type !== "click") return;
    this.ports.suspected();
    later("judge_printed", SWALLOWED_GRACE_MS, () => {
      if (track.bad().length || track.pending().length || this.answered(track)) return;
      const error = { type: "console.error", message: text, stack: "" };
      this.report(track, finding("SILENT_FAILURE", ["exception_swallowed", "error_not_shown"], text, { track, error }));
    });
  }

  private open(): Track[] {
    return this.tracks.filter((track) => !track.closed && this.ports.now() - track.since <= ACTION_MAX_MS);
  }

  private owns(track: Track, now: number): boolean {
    const waiting = track.awaited && track.effects.size === 0 && track.requests.length === 0;
    const alive = now - track.lastLife <= ATTRIBUTION_MS || track.pending().length > 0 || waiting;
    return alive && now - track.since <= ACTION_MAX_MS;
  }

  private begin(track: Track): void {
    track.watched = expectsAnswer(track.control, track.acted.event);
    track.awaited = track.watched;
    track.silentMs = this.ports.config().silent_ms;
    const spent = this.ports.now() - track.since;
    for (const request of track.pending()) this.watchSlow(track, request);
    if (track.watched) {
      later("suspect", track.silentMs * SUSPECT_SHARE - spent, () => {
        if (!this.answered(track)) this.ports.suspected();
      });
      later("judge_silent", track.silentMs - spent, () => this.judgeSilent(track));
    }
    this.settleLater(track);
  }

  private answered(track: Track): boolean {
    this.ports.flush();
    track.look(this.ports.now());
    return track.effects.size > 0 || document.visibilityState === "hidden";
  }

  private judgeSilent(track: Track): void {
    track.awaited = false;
    if (track.closed || track.requests.length > 0 || this.answered(track)) return;
    const reasons = ["no_visible_response", ...(track.thrown.length ? ["exception_swallowed"] : [])];
    this.report(track, finding("SILENT_FAILURE", reasons, "Nothing answered this action.", { track }));
  }

  private requestSettled(track: Track | null, request: TrackedRequest, end: Settled): void {
    const now = this.ports.now();
    const reason = end.status >= 400 || (end.status === 0 && !end.aborted) ? "request_failed" : end.errorBody ? "error_in_answer" : null;
    Object.assign(request, {
      pending: false, status: end.status, ms: end.ms, ended: now, response_excerpt: end.excerpt, reason, bad: reason !== null,
    });
    this.ports.request(request);
    if (!track) return;
    track.lastLife = now;
    track.action.after.requests.push({ method: request.method, path: request.path, status: request.status });
    this.ports.journeyChanged();
    if (!request.bad) return this.settleLater(track);
    if (!track.closed) this.ports.suspected();
    later("judge_failed", TOLD_GRACE_MS, () => this.judgeFailed(track, request));
  }

  private judgeFailed(track: Track, request: TrackedRequest): void {
    this.ports.flush();
    if (track.closed || track.recovered(request) || track.effects.has("leaving")) return;
    const told = wasTold(track);
    // A refusal that the page explains (validation, not enough credits) is the page working.
    if (told && (request.status < 500 && request.status !== 0)) return;
    const reasons = [request.reason ?? "request_failed", told ? "error_shown" : "error_not_shown"];
    if (track.printed.length) reasons.push("exception_swallowed");
    const said = request.status ? `answered ${request.status}` : "got no answer";
    const message = `${request.method} ${request.path} ${said}`;
    this.report(track, finding(told ? "ERROR" : "SILENT_FAILURE", reasons, message, { track }));
  }

  private watchSlow(track: Track, request: TrackedRequest): void {
    later("judge_slow", this.ports.config().slow_ms, () => {
      if (!request.pending || track.closed) return;
      const message = `${request.method} ${request.path} is still open`;
      this.report(track, finding("SLOW_RESPONSE", ["request_pending"], message, { track }));
    });
  }

  private followUps(track: Track | null): string[] {
    this.ports.flush();
    if (!track) return ["no_action"];
    return [wasTold(track) ? "error_shown" : "error_not_shown", ...(track.bad().length ? ["request_failed"] : [])];
  }

  private report(track: Track | null, found: Finding): void {
    if (track?.closed) return;
    if (track) {
      this.complete(track);
      track.closed = true;
    }
    this.ports.found(found);
  }

  /** Requests seen again and again while nobody acts are the page's own polling. */
  private isPolling(key: string, now: number): boolean {
    const times = (this.background.get(key) ?? []).filter((time) => now - time < BACKGROUND_MS * 3);
    const polling = times.length >= BACKGROUND_TIMES;
    if (polling || this.idle()) this.background.set(key, [...times.slice(-BACKGROUND_TIMES), now]);
    return polling;
  }

  private settleLater(track: Track): void {
    later("settle", OUTCOME_QUIET_MS, () => {
      if (!this.owns(track, this.ports.now())) this.finish(track);
      else if (!track.closed) this.settleLater(track);
    });
  }

  /** Fills in what the action led to, once it is over. */
  private complete(track: Track): void {
    this.ports.flush();
    if (!track.action.after.appeared.length) track.appeared(appearedLocators(track.added));
    this.ports.journeyChanged();
  }

  private finish(track: Track): void {
    if (track.closed) return;
    const unanswered = track.effects.size === 0 && track.requests.length === 0;
    if ((track.awaited && unanswered) || track.pending().length) return;
    this.complete(track);
    if (track.bad().length || track.thrown.length || track.printed.length) return;
    track.closed = true;
    if (track.effects.size || track.requests.length) this.ports.healthy(track);
  }
}
