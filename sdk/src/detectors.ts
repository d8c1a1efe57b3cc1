/** All that is captured, wired to all that detects. */
import { Undo } from "./browser/guard";
import { effectsWatch } from "./capture/effects";
import { errorsWatch } from "./capture/errors";
import { Input, type Acted } from "./capture/input";
import type { Journey } from "./capture/journey";
import { Mutations } from "./capture/mutations";
import { documentArrival, navigationWatch } from "./capture/navigation";
import { networkWatch } from "./capture/network";
import { AuthWatch } from "./detect/auth_watch";
import { Expectations } from "./detect/expectations";
import { finding, type Finding } from "./detect/finding";
import type { Track, TrackedRequest } from "./detect/track";
import { Tracker } from "./detect/tracker";
import { ACTION_MAX_MS } from "./constants";
import type { Log } from "./log";
import type { Config } from "./types";

export interface DetectorPorts {
  journey: Journey;
  log: Log;
  fetch: typeof fetch;
  config: () => Config;
  ours: (url: URL) => boolean;
  found: (finding: Finding) => void;
  healthy: (track: Track) => void;
  suspected: () => void;
  moved: () => void;
  leaving: () => void;
}

const now = (): number => performance.now();

export class Detectors {
  readonly expectations: Expectations;
  private readonly tracker: Tracker;
  private readonly mutations: Mutations;
  private readonly auth: AuthWatch;
  private readonly input: Input;
  private readonly undo = new Undo();

  constructor(private readonly ports: DetectorPorts) {
    this.mutations = new Mutations({ now, idle: () => this.tracker.idle(), changed: (changes) => this.tracker.changed(changes) });
    this.tracker = new Tracker({
      now, epoch: () => Date.now(), config: ports.config, flush: () => this.mutations.flush(), found: ports.found,
      healthy: ports.healthy, request: (request) => this.requested(request), suspected: ports.suspected,
      journeyChanged: () => ports.journey.changed(),
    });
    this.expectations = new Expectations({ now, fetch: ports.fetch, mismatch: (expectation, element) => ports.found(
      finding("DATA_INCONSISTENCY", ["state_mismatch"], `${expectation.name} shows ${expectation.shown}, expected ${expectation.expected}`,
        { expectation, element })) });
    this.auth = new AuthWatch({ epoch: () => Date.now(), found: (reasons, message) => ports.found(finding("AUTH_ISSUE", reasons, message)) });
    this.input = new Input({
      journey: ports.journey, now, pressed: () => this.tracker.pressed(), acted: (acted) => this.acted(acted),
    });
  }

  start(): void {
    this.arrive();
    this.mutations.start();
    this.input.start();
    this.undo.add(
      () => this.input.stop(), () => this.mutations.stop(), () => this.auth.stop(), () => this.expectations.stop(),
      effectsWatch((name, target) => this.tracker.effect(name, target)),
      errorsWatch({
        thrown: (error, how) => {
          this.ports.log.line({ level: "error", text: `${error.type}: ${error.message}`, at: Date.now() });
          this.tracker.thrown(error, how);
        },
        printed: (level, text, isError) => {
          this.ports.log.line({ level, text, at: Date.now() });
          if (level === "error") this.tracker.printed(text, isError);
        },
      }),
      networkWatch({ now, ours: this.ports.ours, started: (request) => this.tracker.requestStarted(request) }),
      navigationWatch({
        moved: (path, back) => this.moved(path, back),
        departing: () => this.tracker.effect("navigation"),
        leaving: () => {
          this.tracker.leaving();
          this.ports.leaving();
        },
      }),
    );
    this.whenReady(() => {
      this.auth.start();
      this.expectations.start();
    });
  }

  stop(): void {
    this.undo.stop();
  }

  private whenReady(fn: () => void): void {
    if (document.readyState !== "loading") return fn();
    document.addEventListener("DOMContentLoaded", fn, { once: true });
    this.undo.add(() => document.removeEventListener("DOMContentLoaded", fn));
  }

  /** How this page was reached: by the last action of the page before, or by the user's own hand. */
  private arrive(): void {
    const { journey } = this.ports;
    const last = journey.restore();
    const path = location.pathname + location.search;
    const arrival = documentArrival();
    const led = last && last.kind !== "fill" && Date.now() - last.at < ACTION_MAX_MS && last.after.navigated === null;
    if (arrival === "back_forward") journey.add("back", null);
    else if (led && arrival === "navigate") last.after.navigated = path;
    else journey.add("navigate", null);
    journey.changed();
  }

  private acted(acted: Acted): void {
    this.tracker.act(acted);
    if (acted.event.type === "click") this.auth.clicked(acted.action.element?.name ?? "");
    this.expectations.touched();
  }

  private moved(path: string, back: boolean): void {
    const byAction = this.tracker.current() !== null;
    this.tracker.navigated(path);
    if (back && !byAction) this.ports.journey.add("back", null);
    this.auth.arrived();
    this.expectations.touched();
    this.ports.moved();
  }

  /** Kept for reports; the login watch is told of each answer. */
  private requested(request: TrackedRequest): void {
    if (request.pending) this.ports.log.request(request);
    else this.auth.answered(request.status, request.path);
  }
}
