/** What the recorder chunk registers. */
import type { Chunk } from "../types";

export interface Recorder {
  /** The last 60 s up to now, gzipped, as the frames that carry them. */
  chunks: (clientEventId: string) => Promise<Chunk[]>;
  stop: () => void;
}

export interface RecorderChunk { start: () => Recorder }
