/** Route changes, within the page and out of it. */
import { listen, Undo } from "../browser/guard";
import { patchMethod } from "../browser/patch";

export interface NavigationPorts {
  /** The address changed without a page load. `back`: by the browser's own buttons. */
  moved: (path: string, back: boolean) => void;
  /** The browser has begun to load another page (or to change the address). */
  departing: () => void;
  /** The page is being left. */
  leaving: () => void;
}

/**
 * A page load that began: links, forms, `location =`, before the server has answered. The Navigation API tells of all;
 * beforeunload is the fallback, and only that, because it keeps pages out of the back/forward cache.
 */
function departures(departing: () => void): () => void {
  const api = (window as { navigation?: EventTarget }).navigation;
  return api ? listen(api, "navigate", departing) : listen(window, "beforeunload", departing);
}

export function navigationWatch(ports: NavigationPorts): () => void {
  const undo = new Undo();
  const after = (original: (this: unknown, ...args: unknown[]) => unknown) =>
    function (this: unknown, ...args: unknown[]): unknown {
      const before = location.href;
      const result = original.apply(this, args);
      if (location.href !== before) tell(false);
      return result;
    };
  const tell = (back: boolean): void => {
    try {
      ports.moved(location.pathname + location.search, back);
    } catch { /* the page's own call must return as it would without us */ }
  };
  undo.add(
    patchMethod(History.prototype, "pushState", after),
    patchMethod(History.prototype, "replaceState", after),
    listen(window, "popstate", () => tell(true)),
    listen(window, "hashchange", () => tell(false)),
    departures(() => ports.departing()),
    listen(window, "pagehide", () => ports.leaving()),
  );
  return () => undo.stop();
}

/** HTTP status of the document itself, 0 where the browser doesn't tell. */
export function documentStatus(): number {
  const entry = performance.getEntriesByType?.("navigation")[0] as (PerformanceEntry & { responseStatus?: number }) | undefined;
  return entry?.responseStatus ?? 0;
}

/** How this page came: navigate, reload, back_forward. */
export function documentArrival(): string {
  const entry = performance.getEntriesByType?.("navigation")[0] as PerformanceNavigationTiming | undefined;
  return entry?.type ?? "navigate";
}
