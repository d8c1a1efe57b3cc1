/** The host-signed identity: fetched from the host, renewed before it expires, looked for again while there is none. */
import { attempt, later, lost } from "../browser/guard";
import { IDENTITY_EARLY_MS, IDENTITY_RETRY_MS } from "../constants";

export interface IdentityPorts {
  url: string | null;
  epoch: () => number;
  fetch: typeof fetch;
  /** Another identity than before (null: signed out). */
  changed: (token: string | null) => void;
}

/** Expiry in ms since the epoch; 0 when unreadable. Not a check: the server verifies. */
export function expiryOf(token: string): number {
  return attempt("identity_expiry", () => {
    const part = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    return Number((JSON.parse(atob(part)) as { exp?: number }).exp ?? 0) * 1000;
  }, 0);
}

export class Identity {
  token: string | null = null;
  private cancel: (() => void) | null = null;
  private stopped = false;

  constructor(private readonly ports: IdentityPorts) {}

  /** Asks the host; null when nobody is signed in or the host has no such address. */
  async refresh(): Promise<string | null> {
    const { url, changed, epoch } = this.ports;
    if (!url || this.stopped) return null;
    const before = this.token;
    this.token = await this.ask(url);
    if (this.stopped) return null;
    const wait = this.token ? expiryOf(this.token) - epoch() - IDENTITY_EARLY_MS : IDENTITY_RETRY_MS;
    this.cancel?.();
    this.cancel = later("identity", Math.max(wait, IDENTITY_EARLY_MS / 4), () => void this.refresh());
    if (this.token !== before) changed(this.token);
    return this.token;
  }

  set(token: string | null): void {
    this.token = token;
    this.ports.changed(token);
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private async ask(url: string): Promise<string | null> {
    try {
      const response = await this.ports.fetch.call(window, url, { credentials: "same-origin", cache: "no-store" });
      if (!response.ok) return null;
      const { token } = (await response.json()) as { token?: unknown };
      return typeof token === "string" ? token : null;
    } catch {
      lost("identity_unreachable");
      return null;
    }
  }
}
