/**
 * The last 60 s of events: the segment since the newest full snapshot and the one before it. A segment always begins
 * with a snapshot, so what is sent can be played.
 */
import { lost } from "../browser/guard";
import { RECORD_EVENTS_MAX } from "../constants";

export class RecordBuffer {
  private before: unknown[] = [];
  private current: unknown[] = [];

  add(event: unknown, isCheckout: boolean): void {
    if (isCheckout) {
      this.before = this.current;
      this.current = [];
    }
    if (this.current.length + this.before.length >= RECORD_EVENTS_MAX) {
      lost("recording_overflow");
      if (this.before.length) this.before = [];
      else return;
    }
    this.current.push(event);
  }

  all(): unknown[] {
    return [...this.before, ...this.current];
  }

  clear(): void {
    this.before = [];
    this.current = [];
  }
}
