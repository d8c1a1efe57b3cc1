/** Exceptions and console.error. Foreign noise (extensions, cross-origin scripts, layout loops) is left out and counted. */
import { STACK_MAX, TEXT_MAX } from "../constants";
import { listen, lost, Undo } from "../browser/guard";
import { watchCalls } from "../browser/patch";
import type { ErrorInfo } from "../types";
import { scrub } from "./mask";

export interface ErrorPorts {
  thrown: (error: ErrorInfo, how: "uncaught_exception" | "unhandled_rejection") => void;
  /** console.error or console.warn; `isError`: an Error object was among what was printed. */
  printed: (level: "error" | "warn", text: string, isError: boolean) => void;
}

const NOISE = /ResizeObserver loop|^Script error\.?$|Non-Error promise rejection captured with value: Object Not Found/;
const FOREIGN = /(?:chrome|moz|safari(?:-web)?|webkit-masked)-extension:\/\//;

export function errorInfo(value: unknown): ErrorInfo {
  if (value instanceof Error || (value instanceof Object && "message" in value)) {
    const error = value as Error;
    return {
      type: String(error.name || "Error").slice(0, 100),
      message: scrub(String(error.message)).slice(0, TEXT_MAX),
      stack: scrub(String(error.stack ?? "")).slice(0, STACK_MAX),
    };
  }
  return { type: "Error", message: scrub(words(value)).slice(0, TEXT_MAX), stack: "" };
}

function words(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function isNoise(error: ErrorInfo, file: string): boolean {
  const noise = NOISE.test(error.message) || FOREIGN.test(file) || FOREIGN.test(error.stack) || error.type === "AbortError";
  if (noise) lost("foreign_error");
  return noise;
}

export function errorsWatch(ports: ErrorPorts): () => void {
  const undo = new Undo();
  undo.add(
    listen(window, "error", (event: ErrorEvent) => {
      if (!("message" in event) || typeof event.message !== "string") return; // a resource, not a script
      const error = errorInfo(event.error ?? event.message);
      if (!isNoise(error, event.filename ?? "")) ports.thrown(error, "uncaught_exception");
    }),
    listen(window, "unhandledrejection", (event: PromiseRejectionEvent) => {
      const error = errorInfo(event.reason);
      if (!isNoise(error, "")) ports.thrown(error, "unhandled_rejection");
    }),
    ...(["error", "warn"] as const).map((level) =>
      watchCalls(console, level, (args) => {
        const text = scrub(args.map(words).join(" ")).slice(0, TEXT_MAX);
        ports.printed(level, text, args.some((arg) => arg instanceof Error));
      })),
  );
  return () => undo.stop();
}
