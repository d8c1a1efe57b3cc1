/**
 * The one door between the host page and us. Everything that the page or the browser calls (listeners, callbacks,
 * timers, patched globals) goes through `guard`: what we get wrong is counted by name and never reaches the page.
 */

/** Set by the build; `node tools/build.mjs --debug` tells in the console what is swallowed. */
declare const KRIPTIK_DEBUG: boolean | undefined;

const losses = new Map<string, number>();

/** Counts something dropped or failed; the counts travel with the next report. */
export function lost(reason: string): void {
  losses.set(reason, (losses.get(reason) ?? 0) + 1);
}

export function lossCounts(): Record<string, number> {
  return Object.fromEntries(losses);
}

/** Empties the counts; for the transport once they are acknowledged, and for tests. */
export function lossesClear(): void {
  losses.clear();
}

function swallowed(name: string, error: unknown): void {
  lost(`sdk_error:${name}`);
  if (typeof KRIPTIK_DEBUG !== "undefined" && KRIPTIK_DEBUG) console.info("kriptik", name, error);
}

export function guard<A extends unknown[], R>(name: string, fn: (...args: A) => R): (...args: A) => R | undefined {
  return (...args: A) => {
    try {
      return fn(...args);
    } catch (error) {
      swallowed(name, error);
      return undefined;
    }
  };
}

/** Runs at once, guarded; `fallback` when it threw. */
export function attempt<R>(name: string, fn: () => R, fallback: R): R {
  try {
    return fn();
  } catch (error) {
    swallowed(name, error);
    return fallback;
  }
}

/** A guarded timer; returns its cancel. */
export function later(name: string, ms: number, fn: () => void): () => void {
  const id = setTimeout(guard(name, fn), ms);
  return () => clearTimeout(id);
}

type AnyListener = (event: never) => void;

/** Adds a guarded listener and returns its remover. */
export function listen(
  target: EventTarget, type: string, fn: AnyListener, options: AddEventListenerOptions = { capture: true, passive: true },
): () => void {
  const wrapped = guard(type, fn as unknown as (event: Event) => void) as EventListener;
  target.addEventListener(type, wrapped, options);
  return () => target.removeEventListener(type, wrapped, options);
}

/** Collects undo functions; `stop` runs them newest first, so that nested patches come off in order. */
export class Undo {
  private readonly steps: (() => void)[] = [];

  add(...steps: (() => void)[]): void {
    this.steps.push(...steps);
  }

  stop(): void {
    for (const step of this.steps.splice(0).reverse()) attempt("undo", step, undefined);
  }
}
