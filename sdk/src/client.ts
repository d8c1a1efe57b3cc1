/** The composition root: wires what is captured to what detects, and what is found to the server and the overlay. */
import { Chunks } from "./browser/chunks";
import { attempt, guard, later, listen, Undo } from "./browser/guard";
import { Journey } from "./capture/journey";
import { OUTCOME_KINDS, outcomeOf } from "./outcome";
import { RECORD_IDLE_MS } from "./constants";
import type { Check } from "./detect/expectations";
import { finding, type Finding } from "./detect/finding";
import { Fold } from "./detect/fold";
import type { Track } from "./detect/track";
import { Detectors } from "./detectors";
import { Emitter } from "./events";
import { Log } from "./log";
import { configOf, type Options, type ScriptPlace } from "./options";
import type { RecorderChunk, Recorder } from "./recorder/ports";
import { reportOf } from "./report";
import { Screen } from "./screen";
import { Wire } from "./wire";
import type { Config, IncidentState, Kind, Report } from "./types";

export class Client {
  readonly events = new Emitter();
  private config: Config;
  private readonly undo = new Undo();
  private readonly journey = new Journey(() => Date.now());
  private readonly log = new Log();
  private readonly fold = new Fold(() => performance.now());
  private readonly told = new Set<string>();
  private readonly detectors: Detectors;
  private readonly wire: Wire;
  private readonly screen: Screen;
  private readonly chunks: Chunks;
  private recorder: Recorder | null = null;
  private recording: Promise<void> | null = null;
  private snapshot: (() => unknown) | null = null;

  constructor(options: Options, place: ScriptPlace) {
    this.config = configOf(options, {});
    this.chunks = new Chunks(place.base, place.nonce);
    this.wire = new Wire(options, place.base, {
      welcomed: (config) => { this.config = configOf(options, config); },
      incident: (state) => this.incident(state),
      acked: (id, incident) => this.acked(id, incident),
    });
    this.screen = new Screen(this.chunks, place.nonce, options.help !== false, {
      help: (text) => this.help(text), shown: (state) => this.events.emit("state", state), wire: this.wire,
    });
    this.detectors = new Detectors({
      journey: this.journey, log: this.log, fetch: this.wire.fetch, config: () => this.config,
      ours: (url) => this.wire.isOurs(url), found: (found) => this.found(found), healthy: (track) => this.healthy(track),
      suspected: () => this.screen.prepare(), moved: () => this.screen.start(), leaving: () => this.leaving(),
    });
  }

  start(): void {
    this.undo.add(() => this.wire.stop(), () => this.detectors.stop(), () => this.screen.remove(), () => this.recorder?.stop());
    this.detectors.start();
    this.wire.start();
    this.whenBody(() => this.screen.start());
    const record = guard("record", () => this.record());
    this.undo.add(listen(window, "pointerdown", record), listen(window, "keydown", record), later("record_idle", RECORD_IDLE_MS, record));
  }

  stop(): void {
    this.undo.stop();
  }

  expect(name: string, ms: number, check: Check): () => void {
    return this.detectors.expectations.expect(name, ms, check);
  }

  state(provider: () => unknown): void {
    this.snapshot = provider;
  }

  openHelp(): void {
    this.screen.openHelp();
  }

  /** With a token: use it; without: ask the host again. */
  identify(token?: string | null): void {
    this.wire.identify(token);
  }

  private whenBody(fn: () => void): void {
    if (document.body) fn();
    else this.undo.add(listen(document, "DOMContentLoaded", fn, { once: true }));
  }

  private found(found: Finding): void {
    if (!this.fold.isNew(found)) return;
    const report = this.report(found);
    if (found.quiet || this.config.shadow || !this.config.popup) return;
    const { client_event_id, action_id, kind, reasons, element } = report;
    this.screen.noticed({ client_event_id, action_id, kind, reasons, name: element?.name ?? null });
  }

  private report(found: Finding): Report {
    const report = reportOf(found, {
      at: Date.now(), actions: this.journey.recent(), console: this.log.console, requests: this.log.requests, state: this.snapshot,
    });
    this.wire.send({ type: "report", report });
    this.events.emit("detect", report);
    return report;
  }

  private help(text: string): string {
    const element = null;
    return this.report(finding("USER_REPORTED", ["help_clicked"], "The user asked for help.", { text, element })).client_event_id;
  }

  private healthy(track: Track): void {
    const element = track.action.element;
    if (!element || !OUTCOME_KINDS.has(track.action.kind) || this.told.has(element.fingerprint)) return;
    const outcome = outcomeOf(track);
    if (!outcome) return;
    this.told.add(element.fingerprint);
    this.wire.send({ type: "outcome", outcome });
  }

  private incident(state: IncidentState): void {
    if (state.stage === "resolved") this.fold.clear();
    this.events.emit("message", state);
    if (!this.config.shadow) this.screen.incident(state);
  }

  /** The report is safe: now the recording that belongs to it. */
  private acked(id: string, incident: string | null): void {
    if (incident) this.screen.bound(id, incident);
    if (!this.wire.isReport(id) || !this.recorder) return;
    void this.recorder.chunks(id).then((chunks) => chunks.forEach((chunk) => this.wire.send(chunk)), () => undefined);
  }

  private leaving(): void {
    this.journey.save();
    this.wire.leave();
  }

  private record(): void {
    this.recording ??= this.chunks.load<RecorderChunk>("kriptik-recorder").then(
      (chunk) => { this.recorder = attempt("recorder", () => chunk.start(), null); },
      () => { this.recording = null; });
  }
}

export type { Kind };
