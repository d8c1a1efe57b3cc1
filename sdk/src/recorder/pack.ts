/** Events as gzip chunks. Each chunk is a whole JSON array of its own, so that one lost chunk costs only itself. */
import { lost } from "../browser/guard";
import { CHUNK_BYTES, CHUNKS_MAX } from "../constants";
import type { Chunk } from "../types";

/** Characters of JSON put into one chunk: gzip takes DOM events to a fifth or less. */
const CHUNK_CHARS = CHUNK_BYTES * 4;

export async function gzip(text: string): Promise<Uint8Array> {
  const packed = new Response(text).body?.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function groups(events: unknown[]): string[] {
  const out: string[] = [];
  let group: string[] = [];
  let size = 0;
  for (const event of events) {
    const json = JSON.stringify(event);
    if (group.length && size + json.length > CHUNK_CHARS) {
      out.push(`[${group.join(",")}]`);
      group = [];
      size = 0;
    }
    group.push(json);
    size += json.length;
  }
  if (group.length) out.push(`[${group.join(",")}]`);
  return out;
}

export async function pack(clientEventId: string, events: unknown[]): Promise<Chunk[]> {
  // Old browsers, and pages on plain HTTP, which have no SubtleCrypto: the report goes without its recording.
  if (typeof CompressionStream === "undefined" || !globalThis.crypto?.subtle) {
    lost("recording_unsupported");
    return [];
  }
  const texts = groups(events);
  if (texts.length > CHUNKS_MAX) lost("recording_cut");
  const kept = texts.slice(0, CHUNKS_MAX);
  const chunks: Chunk[] = [];
  for (const [seq, text] of kept.entries()) {
    const bytes = await gzip(text);
    chunks.push({
      type: "chunk", client_event_id: clientEventId, seq, last: seq === kept.length - 1, encoding: "gzip+base64",
      sha256: await sha256(bytes), data: base64(bytes),
    });
  }
  return chunks;
}
