/** rrweb, wrapped once: what it records, what it masks, and how long it is kept. */
import { record } from "@rrweb/record";
import { lost } from "../browser/guard";
import { OVERLAY_TAG, RECORD_CHECKOUT_MS } from "../constants";
import type { Chunk } from "../types";
import { RecordBuffer } from "./buffer";
import { pack } from "./pack";
import type { Recorder } from "./ports";

const UNMASK = "[data-kriptik-unmask]";

/** Letters and digits go, the layout of the words stays. */
export function maskText(text: string, element: Element | null): string {
  return element?.closest(UNMASK) ? text : text.replace(/\S/g, "*");
}

export function recorderStart(): Recorder {
  const buffer = new RecordBuffer();
  const stop = record({
    emit: (event, isCheckout) => buffer.add(event, isCheckout === true),
    checkoutEveryNms: RECORD_CHECKOUT_MS,
    // Everything is masked; `maskText` lets through what the host allows. Inputs can be unmasked by nobody.
    maskTextSelector: "*",
    maskTextFn: (text, element) => maskText(text, element),
    maskAllInputs: true,
    maskInputFn: (text) => "*".repeat(text.length),
    blockSelector: `${OVERLAY_TAG},[data-kriptik-block],img,video,audio,picture,canvas,object,embed`,
    inlineStylesheet: true,
    recordCanvas: false,
    collectFonts: false,
    sampling: { mousemove: 100, scroll: 150, media: 800, input: "last" },
    slimDOMOptions: "all",
    errorHandler: () => {
      lost("rrweb_error");
      return true; // swallowed: the page's own call, patched by rrweb, goes on
    },
  });
  return {
    chunks: (clientEventId: string): Promise<Chunk[]> => pack(clientEventId, buffer.all()),
    stop: () => {
      stop?.();
      buffer.clear();
    },
  };
}
