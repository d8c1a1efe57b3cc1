/**
 * The way to the intake and back: one WebSocket with hello and welcome, reconnecting with backoff; HTTP where sockets
 * fail; a beacon on leaving. What must arrive stays in the outbox until acknowledged, so sending twice is normal and
 * the server folds by client_event_id.
 */
import { guard, later, lost, Undo } from "../browser/guard";
import { storeRead, storeWrite } from "../browser/store";
import { FRAME_MAX, HTTP_FRAMES_MAX, PING_MS, POLL_MS, PONG_MS, PROTOCOL, SDK_VERSION, SOCKET_TRIES } from "../constants";
import type { ClientFrame, Hello, ServerFrame } from "../types";
import { backoff } from "./backoff";
import { beaconSend, httpSend, RateLimited, Refused } from "./http";
import { frameId, type Kept, type Outbox } from "./outbox";

export interface LinkPorts {
  endpoint: string;
  key: string;
  outbox: Outbox;
  /** The browser's own, before we patched them. */
  fetch: typeof fetch;
  Socket: typeof WebSocket;
  identity: () => string | null;
  page: () => string;
  received: (frame: ServerFrame) => void;
}

/** Close codes after which trying again cannot help: wrong key, wrong origin. */
const FINAL_CODES = new Set([4401, 4403]);
const RATE_CODE = 4429;
/** Codes of error frames whose frame would be refused again. */
const HOPELESS = new Set(["invalid_frame", "too_large", "unknown_type", "bad_json", "not_found"]);

export class Link {
  private socket: WebSocket | null = null;
  private welcomed = false;
  private tries = 0;
  private http = false;
  private heldUntil = 0;
  private silence: (() => void) | null = null;
  private readonly undo = new Undo();
  private timer: (() => void) | null = null;
  private stopped = false;

  constructor(private readonly ports: LinkPorts) {}

  start(): void {
    this.undo.add(() => this.timer?.(), () => this.silence?.());
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.undo.stop();
    this.socket?.close();
    this.socket = null;
  }

  /** Frames with an id are kept until acknowledged; others go out when there is a socket, or not at all. */
  send(frame: ClientFrame): void {
    if (JSON.stringify(frame).length > FRAME_MAX) return lost("frame_too_large");
    this.ports.outbox.add(frame);
    if (this.welcomed && Date.now() >= this.heldUntil) this.socket?.send(JSON.stringify(frame));
    else if (this.http && frameId(frame)) this.schedule(0);
  }

  /** The page is going: what is still unacknowledged and small leaves as a beacon. */
  leave(): void {
    const frames = this.ports.outbox.all().map((kept) => kept.frame).filter((frame) => frame.type !== "chunk");
    if (frames.length && !this.stopped) guard("beacon", beaconSend)(this.reportsUrl(), this.hello(), frames);
  }

  private reportsUrl(): string {
    return `${this.ports.endpoint}/sdk/v1/reports`;
  }

  private sessionKey(): string {
    return `kriptik:session:${this.ports.key}`;
  }

  private hello(): Hello {
    return {
      type: "hello", v: PROTOCOL, key: this.ports.key, session: storeRead<string>("localStorage", this.sessionKey()),
      identity: this.ports.identity(), page: this.ports.page(), sdk: SDK_VERSION,
      locale: navigator.language || "en", user_agent: navigator.userAgent.slice(0, 300),
    };
  }

  private connect(): void {
    if (this.stopped) return;
    if (this.http) return void this.poll();
    try {
      const socket = new this.ports.Socket(`${this.ports.endpoint.replace(/^http/, "ws")}/sdk/v1/socket`);
      this.socket = socket;
      socket.onopen = guard("socket_open", () => socket.send(JSON.stringify(this.hello())));
      socket.onmessage = guard("socket_message", (event: MessageEvent) => this.take(JSON.parse(String(event.data)) as ServerFrame));
      socket.onclose = guard("socket_close", (event: CloseEvent) => this.closed(socket, event.code));
    } catch {
      this.closed(null, 0);
    }
  }

  private closed(socket: WebSocket | null, code: number): void {
    if (socket !== this.socket || this.stopped) return;
    this.socket = null;
    this.silence?.();
    if (FINAL_CODES.has(code)) {
      lost(`refused_${code}`);
      return;
    }
    if (!this.welcomed && this.tries + 1 >= SOCKET_TRIES && code !== RATE_CODE) this.http = true;
    this.welcomed = false;
    this.schedule(Math.max(backoff(this.tries++), this.heldUntil - Date.now()));
  }

  private schedule(ms: number): void {
    this.timer?.();
    this.timer = later("reconnect", ms, () => this.connect());
  }

  private take(frame: ServerFrame): void {
    if (frame.type === "welcome") {
      storeWrite("localStorage", this.sessionKey(), frame.session);
      this.tries = 0;
      if (this.socket) this.begin();
    } else if (frame.type === "ack") this.ports.outbox.remove(frame.client_event_id);
    else if (frame.type === "chunk_ack") this.ports.outbox.remove(`${frame.client_event_id}:${frame.seq}`);
    else if (frame.type === "error") this.refused(frame.code, frame.client_event_id, frame.retry_after ?? 5);
    this.keepAlive();
    this.ports.received(frame);
  }

  private begin(): void {
    this.welcomed = true;
    void this.ports.outbox.ready.then(guard("flush", () => this.flush()));
  }

  private flush(): void {
    if (!this.welcomed) return;
    for (const { frame } of this.ports.outbox.all()) this.socket?.send(JSON.stringify(frame));
  }

  private refused(code: string, id: string | null, retryAfterS: number): void {
    if (code === "rate_limited") {
      this.heldUntil = Date.now() + retryAfterS * 1000;
      this.undo.add(later("unhold", retryAfterS * 1000, () => this.flush()));
    } else if (id && HOPELESS.has(code)) {
      lost(`refused_${code}`);
      this.ports.outbox.remove(id);
    }
  }

  /** A ping after silence, and a new socket when even that stays unanswered. */
  private keepAlive(): void {
    this.silence?.();
    const socket = this.socket;
    if (!socket) return;
    this.silence = later("ping", PING_MS, () => {
      socket.send(JSON.stringify({ type: "ping" }));
      this.silence = later("pong", PONG_MS, () => {
        socket.close();
        this.closed(socket, 0);
      });
    });
  }

  private async poll(): Promise<void> {
    await this.ports.outbox.ready;
    let wait = POLL_MS;
    try {
      const frames = this.ports.outbox.all().map((kept: Kept) => kept.frame);
      for (const frame of await httpSend(this.ports.fetch, this.reportsUrl(), this.hello(), this.fitting(frames))) this.take(frame);
      this.tries = 0;
    } catch (error) {
      if (error instanceof Refused) return lost("refused_http");
      wait = error instanceof RateLimited ? error.retryAfterS * 1000 : backoff(this.tries++);
    }
    if (!this.stopped) this.schedule(wait);
  }

  /** One body carries what fits into a frame's limit; the rest follows with the next. */
  private fitting(frames: ClientFrame[]): ClientFrame[] {
    let size = 0;
    return frames.slice(0, HTTP_FRAMES_MAX).filter((frame) => (size += JSON.stringify(frame).length) < FRAME_MAX);
  }
}
