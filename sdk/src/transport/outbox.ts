/**
 * Frames that must arrive, kept in order until the server acknowledges them: in IndexedDB, so that a closed tab or a
 * dead network loses nothing, or in memory where the browser refuses storage.
 */
import { lost } from "../browser/guard";
import { QUEUE_MAX } from "../constants";
import type { ClientFrame } from "../types";

export interface Kept { id: string; at: number; frame: ClientFrame }

const DB = "kriptik";
const STORE = "outbox";

function opened(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DB, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
      request.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}

/** Acknowledgements name these. */
export function frameId(frame: ClientFrame): string | null {
  if (frame.type === "report") return frame.report.client_event_id;
  if (frame.type === "chunk") return `${frame.client_event_id}:${frame.seq}`;
  return "client_event_id" in frame ? frame.client_event_id : null;
}

export class Outbox {
  private readonly kept = new Map<string, Kept>();
  private db: IDBDatabase | null = null;
  readonly ready: Promise<void>;

  constructor(private readonly clock: () => number) {
    this.ready = this.load();
  }

  add(frame: ClientFrame): void {
    const id = frameId(frame);
    if (!id) return;
    const kept = { id, at: this.clock(), frame };
    this.kept.set(id, kept);
    this.write((store) => store.put(kept));
    this.bound();
  }

  remove(id: string): void {
    if (this.kept.delete(id)) this.write((store) => store.delete(id));
  }

  /** Oldest first. */
  all(): Kept[] {
    return Array.from(this.kept.values()).sort((a, b) => a.at - b.at);
  }

  close(): void {
    this.db?.close();
    this.db = null;
  }

  /** Recordings go first: a report without its recording still tells what happened. */
  private bound(): void {
    while (this.kept.size > QUEUE_MAX) {
      const oldest = this.all();
      const victim = oldest.find((kept) => kept.frame.type === "chunk") ?? oldest[0];
      if (!victim) return;
      lost(victim.frame.type === "chunk" ? "queue_full_chunk" : "queue_full_report");
      this.remove(victim.id);
    }
  }

  private async load(): Promise<void> {
    this.db = await opened();
    if (!this.db) return lost("indexeddb_refused");
    const request = this.db.transaction(STORE).objectStore(STORE).getAll() as IDBRequest<Kept[]>;
    await new Promise<void>((resolve) => {
      request.onsuccess = () => resolve();
      request.onerror = () => resolve();
    });
    const early = Array.from(this.kept.values());
    for (const kept of request.result ?? []) if (!this.kept.has(kept.id)) this.kept.set(kept.id, kept);
    for (const kept of early) this.write((store) => store.put(kept));
    this.bound();
  }

  private write(change: (store: IDBObjectStore) => unknown): void {
    if (!this.db) return;
    try {
      change(this.db.transaction(STORE, "readwrite").objectStore(STORE));
    } catch {
      lost("indexeddb_write");
    }
  }
}
