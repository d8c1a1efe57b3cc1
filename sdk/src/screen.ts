/** The overlay as the client sees it: loads the chunk when something is to be shown and keeps the order until then. */
import type { Chunks } from "./browser/chunks";
import { attempt, lost } from "./browser/guard";
import { uuid } from "./browser/ids";
import { storeRead, storeWrite } from "./browser/store";
import type { ShownState } from "./events";
import { launcherCreate, type Launcher } from "./overlay/launcher";
import type { Noticed, Overlay, OverlayChunk } from "./overlay/ports";
import type { IncidentState } from "./types";
import type { Wire } from "./wire";

export interface ScreenPorts {
  /** Sends the user's words; returns the report's client_event_id. */
  help: (text: string) => string;
  shown: (state: ShownState) => void;
  wire: Wire;
}

/** Stages after which nothing more will happen by itself. */
const ENDED = new Set(["resolved", "escalated", "rolled_back"]);
/** ms; an end older than this is no news on a new page. */
const NEWS_MS = 10 * 60_000;
const TRIED = "kriptik:tried";

export class Screen {
  private launcher: Launcher | null = null;
  private overlay: Overlay | null = null;
  private loading: Promise<Overlay | null> | null = null;
  private waiting: ((overlay: Overlay) => void)[] = [];
  private removed = false;

  constructor(
    private readonly chunks: Chunks, private readonly nonce: string, private readonly withHelp: boolean,
    private readonly ports: ScreenPorts,
  ) {}

  /** Also called when something is to be shown, and after a change of route: pages that paint themselves anew drop us. */
  start(): void {
    if (this.removed) return;
    this.launcher ??= launcherCreate(this.nonce, this.withHelp, () => this.openHelp());
    this.launcher.attach();
  }

  /** Trouble is likely: the popup must not wait for the network then. */
  prepare(): void {
    if (this.removed) return;
    this.start();
    this.loading ??= this.chunks.load<OverlayChunk>("kriptik-overlay").then((chunk) => this.created(chunk), () => {
      lost("overlay_unloaded");
      this.loading = null;
      return null;
    });
  }

  noticed(noticed: Noticed): void {
    this.with((overlay) => {
      overlay.noticed(noticed);
      const { client_event_id, action_id } = noticed;
      attempt("mark", () => performance.mark("kriptik:popup", { detail: { client_event_id, action_id } }), undefined);
    });
  }

  bound(clientEventId: string, incident: string): void {
    if (this.overlay || this.waiting.length) this.with((overlay) => overlay.bound(clientEventId, incident));
  }

  incident(state: IncidentState): void {
    // Without words it only carries a release cookie: a similar user is not told of a trouble they never had.
    // `seen`: put away on another page or device; this page can't know that by itself.
    if (!state.body || state.seen || this.ports.wire.isDismissed(state)) return;
    const old = ENDED.has(state.stage) && Date.now() - state.at > NEWS_MS;
    if (!old) this.with((overlay) => overlay.incident(state));
  }

  openHelp(): void {
    this.with((overlay) => overlay.openHelp());
  }

  remove(): void {
    this.removed = true;
    this.overlay?.remove();
    this.launcher?.remove();
  }

  private with(fn: (overlay: Overlay) => void): void {
    this.start();
    if (this.overlay) return attempt("overlay", () => fn(this.overlay as Overlay), undefined);
    this.waiting.push(fn);
    this.prepare();
  }

  private created(chunk: OverlayChunk): Overlay | null {
    if (this.removed || !this.launcher) return null;
    const { wire, help, shown } = this.ports;
    this.overlay = chunk.create({
      root: this.launcher.root,
      nonce: this.nonce,
      now: () => Date.now(),
      answer: (incident, question, choice, text) =>
        wire.send({ type: "answer", incident, question, choice, text, client_event_id: uuid() }),
      rate: (incident, stars, text) => wire.send({ type: "rating", incident, stars, text, client_event_id: uuid() }),
      tryAgain: (incident) => wire.send({ type: "try_again", incident, client_event_id: uuid() }),
      help,
      dismissed: (state) => wire.dismiss(state),
      tried: (incident) => storeWrite("sessionStorage", TRIED, incident),
      wasTried: (incident) => storeRead<string>("sessionStorage", TRIED) === incident,
      reload: () => location.reload(),
      shows: shown,
    });
    for (const fn of this.waiting.splice(0)) this.with(fn);
    return this.overlay;
  }
}
