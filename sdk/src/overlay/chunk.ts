import { chunkReady } from "../browser/chunks";
import { overlayCreate } from "./overlay";
import type { OverlayChunk } from "./ports";

chunkReady("kriptik-overlay", { create: overlayCreate } satisfies OverlayChunk);
