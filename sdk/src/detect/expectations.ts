/**
 * What the host says must be true on the page: a shown value equals the one the server holds. By code
 * (`Kriptik.expect`) or by attribute (`data-kriptik-expect`). A mismatch counts when it lasts.
 */
import { EXPECT_EVERY_MS, EXPECT_MS, EXPECT_SETTLE_MS } from "../constants";
import { isVisible } from "../capture/visible";
import { later, lost, Undo } from "../browser/guard";
import type { Expectation } from "../types";

export interface Pair { shown: unknown; expected: unknown }
export type Check = () => Pair | null | Promise<Pair | null>;

export interface ExpectationPorts {
  now: () => number;
  /** fetch as the page had it before us. */
  fetch: typeof fetch;
  mismatch: (expectation: Expectation, element: Element | null) => void;
}

interface Entry { name: string; ms: number; check: Check; element: Element | null; since: number | null; told: boolean }

const DECLARED = "[data-kriptik-expect]";

/** "1,250 credits" and 1250 are the same; words are compared without their spacing. */
export function sameValue(shown: unknown, expected: unknown): boolean {
  const number = typeof expected === "number" ? expected : Number(String(expected).trim() || NaN);
  if (!Number.isFinite(number)) return plain(shown) === plain(expected);
  const digits = String(shown).replace(/(\d)[,\s'](?=\d{3}\b)/g, "$1").match(/-?\d+(?:\.\d+)?/);
  return digits !== null && Math.abs(Number(digits[0]) - number) < 1e-9;
}

const plain = (value: unknown): string => String(value ?? "").replace(/\s+/g, " ").trim();

/** `a.b[0].c` in an answer; undefined where the path ends early. */
export function valueAt(body: unknown, path: string): unknown {
  return path.split(/[.[\]]+/).filter(Boolean).reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined), body);
}

export class Expectations {
  private entries: Entry[] = [];
  private readonly declared = new WeakSet<Element>();
  private readonly undo = new Undo();
  private soon: (() => void) | null = null;

  constructor(private readonly ports: ExpectationPorts) {}

  start(): void {
    this.undo.add(() => this.soon?.());
    this.look(EXPECT_SETTLE_MS);
  }

  stop(): void {
    this.entries = [];
    this.undo.stop();
  }

  /** The mismatch must last `ms`. Returns the function that withdraws the expectation. */
  expect(name: string, ms: number, check: Check, element: Element | null = null): () => void {
    const entry: Entry = { name, ms, check, element, since: null, told: false };
    this.entries.push(entry);
    this.look(EXPECT_SETTLE_MS);
    return () => {
      this.entries = this.entries.filter((other) => other !== entry);
    };
  }

  /** Something happened that may have changed a shown value. */
  touched(): void {
    this.look(EXPECT_SETTLE_MS);
  }

  private look(ms: number): void {
    this.soon?.();
    this.soon = later("expectations", ms, () => void this.round());
  }

  private async round(): Promise<void> {
    this.adopt();
    let next = EXPECT_EVERY_MS;
    if (document.visibilityState !== "hidden") {
      const waits = await Promise.all(this.entries.map((entry) => this.judge(entry)));
      next = Math.min(next, ...waits);
    }
    if (this.entries.length) this.look(next);
  }

  /** ms until this one wants to be looked at again. */
  private async judge(entry: Entry): Promise<number> {
    const pair = await this.read(entry);
    if (!pair || sameValue(pair.shown, pair.expected)) {
      entry.since = null;
      entry.told = false;
      return EXPECT_EVERY_MS;
    }
    const now = this.ports.now();
    entry.since ??= now;
    const wait = entry.since + entry.ms - now;
    if (wait > 0) return wait;
    if (!entry.told) {
      entry.told = true;
      const expectation = { name: entry.name, shown: plain(pair.shown).slice(0, 200), expected: plain(pair.expected).slice(0, 200) };
      this.ports.mismatch(expectation, entry.element);
    }
    return EXPECT_EVERY_MS;
  }

  private async read(entry: Entry): Promise<Pair | null> {
    try {
      return await entry.check();
    } catch {
      lost("expectation_unreadable");
      return null;
    }
  }

  /** Takes up declared elements that came since the last round, and drops those that went. */
  private adopt(): void {
    this.entries = this.entries.filter((entry) => !entry.element || entry.element.isConnected);
    for (const element of document.querySelectorAll(DECLARED)) {
      if (this.declared.has(element)) continue;
      this.declared.add(element);
      const ms = Number(element.getAttribute("data-kriptik-expect-ms") ?? EXPECT_MS);
      const name = element.getAttribute("data-kriptik-expect") || "value";
      this.expect(name, Number.isFinite(ms) ? ms : EXPECT_MS, () => this.declaredPair(element), element);
    }
  }

  private async declaredPair(element: Element): Promise<Pair | null> {
    if (!isVisible(element)) return null;
    const shown = element instanceof HTMLInputElement ? element.value : element.textContent;
    const fixed = element.getAttribute("data-kriptik-expect-value");
    if (fixed !== null) return { shown, expected: fixed };
    const address = element.getAttribute("data-kriptik-expect-url");
    const url = address ? new URL(address, location.href) : null;
    if (!url || url.origin !== location.origin) return null;
    const response = await this.ports.fetch.call(window, url.href, { credentials: "same-origin", cache: "no-store" });
    if (!response.ok) return null;
    const expected = valueAt(await response.json(), element.getAttribute("data-kriptik-expect-path") ?? "");
    return expected === undefined || expected === null ? null : { shown: element.textContent, expected };
  }
}
