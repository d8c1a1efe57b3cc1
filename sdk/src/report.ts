/** One finding and its surroundings as the report that goes over the wire, within the protocol's limits. */
import { describe } from "./capture/element";
import { scrub, scrubValue } from "./capture/mask";
import { cleanUrl, routeOf } from "./capture/route";
import { lossCounts, lost } from "./browser/guard";
import { uuid } from "./browser/ids";
import { STATE_MAX, TEXT_MAX } from "./constants";
import { kindAt } from "./detect/classify";
import type { Finding } from "./detect/finding";
import type { TrackedRequest } from "./detect/track";
import type { Action, ConsoleLine, Report, RequestInfo } from "./types";

export interface Surroundings {
  at: number;
  actions: Action[];
  console: ConsoleLine[];
  requests: TrackedRequest[];
  /** The host's own snapshot (`Kriptik.state(fn)`). */
  state: (() => unknown) | null;
}

/** The tracker's bookkeeping stays here; the wire has its own fields. */
function wireRequest(request: TrackedRequest): RequestInfo {
  const { action_id, method, path, status, ms, at, trace_id, body_shape, response_excerpt } = request;
  return { action_id, method, path, status, ms, at, trace_id, body_shape, response_excerpt };
}

function stateSnapshot(provider: (() => unknown) | null): Record<string, unknown> | null {
  const losses = lossCounts();
  const own = Object.keys(losses).length ? { kriptik_losses: losses } : null;
  if (!provider) return own;
  try {
    const value = scrubValue(provider());
    if (typeof value !== "object" || value === null || Array.isArray(value)) return own;
    const state = { ...(value as Record<string, unknown>), ...own };
    if (JSON.stringify(state).length <= STATE_MAX) return state;
    lost("state_too_large");
  } catch {
    lost("state_threw");
  }
  return own;
}

export function reportOf(found: Finding, around: Surroundings): Report {
  const { track } = found;
  const route = routeOf(location.pathname);
  const requestPaths = track?.bad().map((request) => request.path) ?? [];
  const described = found.element === track?.control ? track?.action.element : null;
  return {
    client_event_id: uuid(),
    kind: kindAt(found.kind, { route, requestPaths, element: found.element }),
    at: around.at,
    action_id: track?.action.id ?? null,
    trace_id: track?.trace ?? null,
    message: scrub(found.message).slice(0, TEXT_MAX),
    page: cleanUrl(location.href),
    route,
    element: described ?? (found.element?.isConnected ? describe(found.element) : null),
    reasons: found.reasons,
    error: found.error,
    requests: around.requests.filter((request) => !request.pending || request.action_id === track?.action.id).map(wireRequest),
    console: around.console,
    actions: around.actions,
    state: stateSnapshot(around.state),
    expectation: found.expectation,
    text: found.text,
    viewport: { w: window.innerWidth, h: window.innerHeight },
    locale: navigator.language || "en",
    user_agent: navigator.userAgent.slice(0, 300),
  };
}
