/** The same trouble on the same element again within seconds is one report: impatient clicks are not new facts. */
import { lost } from "../browser/guard";
import { FOLD_MS } from "../constants";
import type { Finding } from "./finding";

export class Fold {
  private readonly seen = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  isNew(found: Finding): boolean {
    if (found.kind === "USER_REPORTED") return true;
    const element = found.track?.action.element?.fingerprint ?? found.expectation?.name ?? "";
    const key = `${found.kind}|${element}|${found.reasons[0] ?? ""}|${location.pathname}|${element ? "" : found.message}`;
    const before = this.seen.get(key);
    const now = this.now();
    if (before !== undefined && now - before < FOLD_MS) {
      lost("folded");
      return false;
    }
    this.seen.set(key, now);
    return true;
  }

  /** Healed: the next occurrence is news. */
  clear(): void {
    this.seen.clear();
  }
}
