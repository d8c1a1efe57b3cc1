/** What the detectors hand on: one trouble with its reasons. */
import type { ErrorInfo, Expectation, Kind } from "../types";
import type { Track } from "./track";

export interface Finding {
  kind: Kind;
  /** Machine words, strongest first; they travel with the report so that a wrong one can be argued with. */
  reasons: string[];
  track: Track | null;
  element: Element | null;
  message: string;
  error: ErrorInfo | null;
  expectation: Expectation | null;
  text: string | null;
  /** Report it, but don't interrupt the user: nothing they did was in vain. */
  quiet: boolean;
}

export function finding(kind: Kind, reasons: string[], message: string, rest: Partial<Finding> = {}): Finding {
  return {
    kind, reasons, message, track: null, element: rest.track?.control ?? null, error: null, expectation: null,
    text: null, quiet: false, ...rest,
  };
}
