/** A healthy action as other users' baseline: what this control does when it works. */
import { routeOf } from "./capture/route";
import type { Track } from "./detect/track";
import type { ActionKind, Outcome } from "./types";

/** Actions whose outcome says something about a control; typing has none of its own. */
export const OUTCOME_KINDS = new Set<ActionKind>(["click", "press", "select", "check", "upload"]);

/** Null when the action led to nothing that a reproduction could wait for. */
export function outcomeOf(track: Track): Outcome | null {
  const { action } = track;
  const { requests, navigated, appeared, ms } = action.after;
  if (!action.element || (!requests.length && !appeared.length && !navigated)) return null;
  return {
    route: routeOf(action.url), element: action.element, at: action.at,
    ms: ms ?? Math.max(0, ...track.requests.map((request) => request.ms)), requests, navigated, appeared,
  };
}
