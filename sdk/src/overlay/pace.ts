/** At most one change of message in MESSAGE_MS: of what comes faster only the newest is shown, and the last always is. */
import { later } from "../browser/guard";
import { MESSAGE_MS } from "../constants";

export class Pace {
  private last = -Infinity;
  private cancel: (() => void) | null = null;

  constructor(private readonly now: () => number) {}

  /** `urgent`: shown at once (the first notice, the user's own click). */
  run(show: () => void, urgent = false): void {
    this.cancel?.();
    const wait = urgent ? 0 : this.last + MESSAGE_MS - this.now();
    const go = (): void => {
      this.cancel = null;
      this.last = this.now();
      show();
    };
    if (wait <= 0) go();
    else this.cancel = later("pace", wait, go);
  }

  stop(): void {
    this.cancel?.();
  }
}
