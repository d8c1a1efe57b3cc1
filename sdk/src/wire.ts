/** Transport and feed as one: what goes out, what comes in, and who we are. */
import { attempt, Undo } from "./browser/guard";
import { storeRead, storeWrite } from "./browser/store";
import { Feed } from "./feed/feed";
import type { Options } from "./options";
import { Identity } from "./transport/identity";
import { Link } from "./transport/link";
import { Outbox } from "./transport/outbox";
import type { ClientFrame, Config, IncidentState, ServerFrame } from "./types";
import { cleanUrl } from "./capture/route";

export interface WirePorts {
  welcomed: (config: Partial<Config>) => void;
  incident: (state: IncidentState) => void;
  /** A report, answer or rating is stored; `incident` where it belongs to one. */
  acked: (clientEventId: string, incident: string | null) => void;
}

const DISMISSED = "kriptik:dismissed";

interface Closed { version: number; stage: string }

export class Wire {
  readonly feed = new Feed();
  /** The browser's own fetch, taken before anything is patched. */
  readonly fetch: typeof fetch = window.fetch;
  private readonly outbox = new Outbox(() => Date.now());
  private readonly identity: Identity;
  private readonly link: Link | null;
  private readonly reports = new Set<string>();
  private readonly undo = new Undo();
  private readonly endpoint: string;

  constructor(options: Options, base: string, private readonly ports: WirePorts) {
    this.endpoint = (options.endpoint ?? new URL(base).origin).replace(/\/$/, "");
    this.identity = new Identity({
      url: options.identity ?? null, epoch: () => Date.now(), fetch: this.fetch, changed: (token) => this.identified(token),
    });
    this.link = options.transport === "none" ? null : new Link({
      endpoint: this.endpoint, key: options.key, outbox: this.outbox, fetch: this.fetch, Socket: window.WebSocket,
      identity: () => this.identity.token, page: () => attempt("page", () => cleanUrl(location.href), ""), received: (frame) => this.received(frame),
    });
  }

  start(): void {
    if (!this.link) return;
    const { link } = this;
    this.undo.add(() => link.stop(), () => this.identity.stop(), () => this.outbox.close(), this.feed.onChange((state) => this.ports.incident(state)));
    // The hello carries the identity, so that the first snapshot is already this user's.
    void this.identity.refresh().then(() => link.start(), () => link.start());
  }

  stop(): void {
    this.undo.stop();
  }

  send(frame: ClientFrame): void {
    if (frame.type === "report") this.reports.add(frame.report.client_event_id);
    this.link?.send(frame);
  }

  leave(): void {
    this.link?.leave();
  }

  identify(token?: string | null): void {
    if (token === undefined) void this.identity.refresh();
    else this.identity.set(token);
  }

  isReport(clientEventId: string): boolean {
    return this.reports.has(clientEventId);
  }

  /** Requests that are ours: to the intake, and for the identity. */
  isOurs(url: URL): boolean {
    return url.href.startsWith(`${this.endpoint}/sdk/v1/`) || url.pathname.startsWith("/__kriptik__/");
  }

  /** Closed by the user in this tab, at this stage: a later version of the same stage is no news. */
  isDismissed(state: IncidentState): boolean {
    const closed = storeRead<Record<string, Closed>>("sessionStorage", DISMISSED)?.[state.incident];
    return closed !== undefined && (closed.version >= state.version || closed.stage === state.stage);
  }

  dismiss({ incident, version, stage }: IncidentState): void {
    const closed = storeRead<Record<string, Closed>>("sessionStorage", DISMISSED) ?? {};
    storeWrite("sessionStorage", DISMISSED, { ...closed, [incident]: { version, stage } });
    this.link?.send({ type: "seen", incident, version });
  }

  private identified(token: string | null): void {
    if (token) this.link?.send({ type: "identify", identity: token });
  }

  private received(frame: ServerFrame): void {
    if (frame.type === "welcome") this.ports.welcomed(frame.config ?? {});
    else if (frame.type === "snapshot") this.feed.snapshot(frame.incidents);
    else if (frame.type === "incident") this.feed.apply(frame);
    else if (frame.type === "ack") {
      if (frame.incident) this.feed.bind(frame.client_event_id, frame.incident);
      this.ports.acked(frame.client_event_id, frame.incident);
    }
  }
}
