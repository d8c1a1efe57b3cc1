/** What a page may set, read from `Kriptik.init({..})` or from the script tag's data attributes. */
import { SILENT_MS, SLOW_MS } from "./constants";
import type { Config } from "./types";

export interface Options {
  /** The host's public key, `pk_..`. */
  key: string;
  /** Address of KripTik Ops; default: where the script came from. */
  endpoint?: string;
  /** Same-origin address that answers `{"token": ".."}`; without it every session is anonymous. */
  identity?: string;
  /** "none": detect, show and emit, but send nothing anywhere. */
  transport?: "socket" | "none";
  /** ms without an answer after which a click has failed silently. */
  silentMs?: number;
  /** ms after which an open request is a slow response. */
  slowMs?: number;
  /** Detect and report, show nothing. */
  shadow?: boolean;
  /** Show the floating Help button. */
  help?: boolean;
}

export interface ScriptPlace {
  /** Folder of our scripts, for the chunks. */
  base: string;
  nonce: string;
}

export function optionsFromScript(script: HTMLScriptElement): Options | null {
  const { key, endpoint, identity, transport, silentMs, slowMs, shadow, help } = script.dataset;
  if (!key) return null;
  const number = (text: string | undefined): number | undefined => (text && Number(text) > 0 ? Number(text) : undefined);
  return {
    key, endpoint: endpoint ?? new URL(script.src, location.href).origin, identity,
    transport: transport === "none" ? "none" : "socket", silentMs: number(silentMs), slowMs: number(slowMs),
    shadow: shadow === "true", help: help !== "false",
  };
}

export function optionsCheck(options: Options): Options {
  if (!options || typeof options.key !== "string" || options.key === "") {
    throw new Error('Kriptik.init: "key" is missing; take the public key (pk_..) from the host\'s page in the console');
  }
  for (const name of ["silentMs", "slowMs"] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw new Error(`Kriptik.init: "${name}" must be a number of milliseconds above 0, not ${String(value)}`);
    }
  }
  return options;
}

/** What the server's welcome says, except where the page set its own. */
export function configOf(options: Options, server: Partial<Config>): Config {
  const number = (value: unknown, fallback: number): number => (typeof value === "number" && value > 0 ? value : fallback);
  return {
    silent_ms: options.silentMs ?? number(server.silent_ms, SILENT_MS),
    slow_ms: options.slowMs ?? number(server.slow_ms, SLOW_MS),
    shadow: options.shadow === true || server.shadow === true,
    popup: server.popup !== false,
  };
}
