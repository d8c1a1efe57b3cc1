import { chunkReady } from "../browser/chunks";
import type { RecorderChunk } from "./ports";
import { recorderStart } from "./recorder";

chunkReady("kriptik-recorder", { start: recorderStart } satisfies RecorderChunk);
