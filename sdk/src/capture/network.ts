/**
 * fetch and XMLHttpRequest, watched without changing what the page gets: same promise results, same errors, same
 * `this`. Same-origin requests carry the action's id and a trace, so that server logs join the click.
 */
import { BODY_MAX, TEXT_MAX } from "../constants";
import { guard, Undo } from "../browser/guard";
import { spanId } from "../browser/ids";
import { patchMethod } from "../browser/patch";
import { bodyShape, scrub, scrubValue } from "./mask";

export interface Started {
  method: string;
  path: string;
  sameOrigin: boolean;
  bodyShape: string | null;
}

export interface Settled {
  /** 0: no answer came. */
  status: number;
  ms: number;
  aborted: boolean;
  excerpt: string | null;
  /** The answer says 200 and carries an error. */
  errorBody: boolean;
}

/** What the owner of a request wants: headers to send, and to be told of the end. */
export interface Ticket { headers: Record<string, string>; settled: (end: Settled) => void }

export interface NetworkPorts {
  now: () => number;
  started: (request: Started) => Ticket;
  /** Requests of our own. */
  ours: (url: URL) => boolean;
}

/** Tracking that goes elsewhere answers nobody's click. */
const ANALYTICS = /analytic|doubleclick|googletagmanager|segment\.(io|com)|mixpanel|amplitude|posthog|sentry|hotjar|clarity\.ms|datadog|fullstory|telemetry|\/(collect|track|beacon|metrics|events?|batch)\b/i;
export const isAnalytics = (url: URL): boolean => url.origin !== location.origin && ANALYTICS.test(url.host + url.pathname);

export function traceHeaders(trace: string, action: string | null): Record<string, string> {
  const headers: Record<string, string> = {
    "sentry-trace": `${trace}-${spanId()}-1`, baggage: `sentry-trace_id=${trace}`,
  };
  if (action) headers["x-kriptik-action"] = action;
  return headers;
}

function shape(body: unknown): string | null {
  if (typeof body === "string") {
    try {
      return bodyShape(JSON.parse(body)).slice(0, TEXT_MAX);
    } catch {
      return body === "" ? null : "str";
    }
  }
  const fields = body instanceof FormData || body instanceof URLSearchParams ? Array.from(body.keys()) : null;
  return fields ? `{${fields.slice(0, 20).map((name) => `${name}:str`).join(",")}}` : body ? "bytes" : null;
}

/** `{error: ..}`, `{ok: false}`, GraphQL `{errors: [..]}`: a failure that travels as a success. */
export function isErrorBody(body: unknown): boolean {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return false;
  const { error, errors, ok, success, status } = body as Record<string, unknown>;
  const named = (typeof error === "string" && error !== "") || error === true || (typeof error === "object" && error !== null);
  return named || (Array.isArray(errors) && errors.length > 0) || ok === false || success === false ||
    (typeof status === "string" && /^(error|fail(ed|ure)?)$/i.test(status));
}

function readBody(text: string, status: number): Pick<Settled, "excerpt" | "errorBody"> {
  try {
    const body: unknown = JSON.parse(text);
    const bad = isErrorBody(body);
    return { excerpt: bad || status >= 400 ? JSON.stringify(scrubValue(body)).slice(0, TEXT_MAX) : null, errorBody: bad };
  } catch {
    return { excerpt: status >= 400 ? scrub(text).slice(0, TEXT_MAX) : null, errorBody: false };
  }
}

/** Streams and big answers are never read: a clone would hold them in memory. */
function isReadable(type: string | null, length: string | null): boolean {
  return /\bjson\b|text\/plain/.test(type ?? "") && !/ndjson|event-stream/.test(type ?? "") && Number(length ?? 0) <= BODY_MAX;
}

async function settleFetch(response: Response, ticket: Ticket, ms: number): Promise<void> {
  const end: Settled = { status: response.status, ms, aborted: false, excerpt: null, errorBody: false };
  const readable = response.type !== "opaque" && isReadable(response.headers.get("content-type"), response.headers.get("content-length"));
  if (readable) Object.assign(end, readBody((await response.text()).slice(0, BODY_MAX), response.status));
  ticket.settled(end);
}

const failed = (ms: number, aborted: boolean): Settled => ({ status: 0, ms, aborted, excerpt: null, errorBody: false });

/** The arguments that carry our headers; the page's own headers win. */
function withHeaders(input: RequestInfo | URL, init: RequestInit | undefined, extra: Record<string, string>): [RequestInfo | URL, RequestInit] {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  for (const [name, value] of Object.entries(extra)) if (!headers.has(name)) headers.set(name, value);
  return [input, { ...init, headers }];
}

function watchFetch(ports: NetworkPorts): () => void {
  return patchMethod(window, "fetch", (original) => function (this: unknown, ...args: unknown[]) {
    const begun = ports.now();
    const prepared = guard("fetch", () => {
      const [input, init] = args as [RequestInfo | URL, RequestInit | undefined];
      const url = new URL(input instanceof Request ? input.url : String(input), location.href);
      if (ports.ours(url) || isAnalytics(url)) return null;
      const sameOrigin = url.origin === location.origin;
      const method = (init?.method ?? (input instanceof Request ? input.method : "GET")).toUpperCase();
      const ticket = ports.started({ method, path: url.pathname, sameOrigin, bodyShape: shape(init?.body) });
      return { ticket, args: sameOrigin ? withHeaders(input, init, ticket.headers) : args };
    })();
    const promise = original.apply(this, prepared?.args ?? args) as Promise<Response>;
    if (!prepared) return promise;
    const { ticket } = prepared;
    const settled = guard("fetch_settled", (response: Response) => {
      const ms = Math.round(ports.now() - begun);
      settleFetch(response.clone(), ticket, ms).catch(() => ticket.settled({ ...failed(ms, false), status: response.status }));
    });
    const broke = guard("fetch_failed", (error: unknown) =>
      ticket.settled(failed(Math.round(ports.now() - begun), (error as Error | null)?.name === "AbortError")));
    // The page gets the derived promise: on the browser's own one our handler would hide its unhandled rejections.
    return promise.then(
      (response) => {
        settled(response);
        return response;
      },
      (error: unknown) => {
        broke(error);
        throw error;
      },
    );
  });
}

interface XhrNote { method: string; url: URL; begun: number; ticket: Ticket | null }

function xhrEnd(xhr: XMLHttpRequest, ms: number, aborted: boolean): Settled {
  const end: Settled = { status: xhr.status, ms, aborted, excerpt: null, errorBody: false };
  const textual = xhr.responseType === "" || xhr.responseType === "text";
  if (xhr.responseType === "json" && xhr.response) Object.assign(end, readBody(JSON.stringify(xhr.response), xhr.status));
  else if (textual && isReadable(xhr.getResponseHeader("content-type"), null)) {
    Object.assign(end, readBody(xhr.responseText.slice(0, BODY_MAX), xhr.status));
  }
  return end;
}

function watchXhr(ports: NetworkPorts): () => void {
  const notes = new WeakMap<object, XhrNote>();
  const undo = new Undo();
  const opened = guard("xhr_open", (xhr: object, args: unknown[]) => {
    const url = new URL(String(args[1]), location.href);
    if (!ports.ours(url) && !isAnalytics(url)) notes.set(xhr, { method: String(args[0]).toUpperCase(), url, begun: 0, ticket: null });
  });
  const sent = guard("xhr_send", (xhr: XMLHttpRequest, body: unknown) => {
    const note = notes.get(xhr);
    if (!note) return;
    const sameOrigin = note.url.origin === location.origin;
    note.begun = ports.now();
    const ticket = ports.started({ method: note.method, path: note.url.pathname, sameOrigin, bodyShape: shape(body) });
    if (sameOrigin) for (const [name, value] of Object.entries(ticket.headers)) xhr.setRequestHeader(name, value);
    let aborted = false;
    xhr.addEventListener("abort", () => { aborted = true; });
    xhr.addEventListener("loadend", guard("xhr_end", () =>
      ticket.settled(xhrEnd(xhr, Math.round(ports.now() - note.begun), aborted))), { once: true });
  });
  const proto = window.XMLHttpRequest?.prototype;
  undo.add(
    patchMethod(proto, "open", (original) => function (this: unknown, ...args: unknown[]) {
      opened(this as object, args);
      return original.apply(this, args);
    }),
    patchMethod(proto, "send", (original) => function (this: unknown, ...args: unknown[]) {
      sent(this as XMLHttpRequest, args[0]);
      return original.apply(this, args);
    }),
  );
  return () => undo.stop();
}

export function networkWatch(ports: NetworkPorts): () => void {
  const undo = new Undo();
  undo.add(watchFetch(ports), watchXhr(ports));
  return () => undo.stop();
}
