/** The public surface: `window.Kriptik`, started by the script tag's data-key. */
import { Client } from "./client";
import type { Check } from "./detect/expectations";
import type { Events } from "./events";
import { optionsCheck, optionsFromScript, type Options, type ScriptPlace } from "./options";

const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;

function placeOf(options: Options): ScriptPlace {
  const base = script?.src || `${(options.endpoint ?? location.origin).replace(/\/$/, "")}/sdk/v1/`;
  return { base: new URL(".", new URL(base, location.href)).href, nonce: script?.nonce || script?.getAttribute("nonce") || "" };
}

let client: Client | null = null;
/** What the page asked for before `init`, done by it. */
const early: ((client: Client) => void)[] = [];

function withClient<R>(fn: (client: Client) => R, whenNone: R): R {
  if (client) return fn(client);
  early.push((ready) => void fn(ready));
  return whenNone;
}

export const Kriptik = {
  init(options: Options): void {
    if (client) return;
    client = new Client(optionsCheck(options), placeOf(options));
    for (const fn of early.splice(0)) fn(client);
    client.start();
  },
  /** Puts every patched global back and takes our element away. */
  stop(): void {
    client?.stop();
    client = null;
  },
  /** `detect`, `message` or `state`; returns the function that ends the listening. */
  on<K extends keyof Events>(name: K, fn: (value: Events[K]) => void): () => void {
    let off: () => void = () => undefined;
    withClient((ready) => { off = ready.events.on(name, fn); }, undefined);
    return () => off();
  },
  /** A value the page shows must equal the server's; a mismatch that lasts `ms` is reported. */
  expect(name: string, ms: number, check: Check): () => void {
    if (typeof check !== "function") throw new Error("Kriptik.expect(name, ms, fn): fn must return {shown, expected}");
    let off: () => void = () => undefined;
    withClient((ready) => { off = ready.expect(name, ms, check); }, undefined);
    return () => off();
  },
  /** `provider` returns a small JSON object of the page's state, asked for when a report is made. */
  state(provider: () => unknown): void {
    withClient((ready) => ready.state(provider), undefined);
  },
  help(): void {
    withClient((ready) => ready.openHelp(), undefined);
  },
  /** After a login or logout without a page load. */
  identify(token?: string | null): void {
    withClient((ready) => ready.identify(token), undefined);
  },
};

declare global {
  interface Window { Kriptik?: typeof Kriptik }
}

if (!window.Kriptik) {
  window.Kriptik = Kriptik;
  const options = script && optionsFromScript(script);
  if (options) Kriptik.init(options);
}
