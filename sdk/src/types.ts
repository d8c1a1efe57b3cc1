/** Wire protocol, version 1 (docs/protocol.md). Times are integer ms since the epoch. */

export type Kind =
  | "SILENT_FAILURE" | "ERROR" | "SLOW_RESPONSE" | "DATA_INCONSISTENCY"
  | "AUTH_ISSUE" | "BILLING_ISSUE" | "UX_CONFUSION" | "USER_REPORTED";

export type Stage =
  | "detected" | "diagnosing" | "root_cause_found" | "fixing" | "verifying" | "needs_input"
  | "reproduction_request" | "resolved" | "escalated" | "rolled_back";

/** In Playwright's order of preference; each was unique on the page when recorded. */
export type Locator =
  | { by: "testid"; value: string }
  | { by: "role"; role: string; name: string }
  | { by: "placeholder"; value: string }
  | { by: "label"; value: string }
  | { by: "text"; value: string }
  | { by: "css"; value: string };

export interface ElementInfo {
  tag: string;
  role: string | null;
  name: string | null;
  /** Same for the same control on every visit and for every user. */
  fingerprint: string;
  locators: Locator[];
}

export type ActionKind =
  | "navigate" | "click" | "fill" | "press" | "select" | "check" | "upload" | "back";

export interface ActionAfter {
  requests: { method: string; path: string; status: number }[];
  navigated: string | null;
  mutated: boolean;
  appeared: Locator[];
  /** ms from the action to its first visible effect. */
  ms: number | null;
}

export interface Action {
  id: string;
  kind: ActionKind;
  at: number;
  url: string;
  element: ElementInfo | null;
  value: string | null;
  shape: string | null;
  key: string | null;
  after: ActionAfter;
}

export interface RequestInfo {
  action_id: string | null;
  method: string;
  path: string;
  /** 0: the network failed and no answer came. */
  status: number;
  ms: number;
  at: number;
  trace_id: string;
  body_shape: string | null;
  response_excerpt: string | null;
}

export interface ConsoleLine { level: string; text: string; at: number }

export interface ErrorInfo { type: string; message: string; stack: string }

export interface Expectation { name: string; shown: string; expected: string }

export interface Report {
  client_event_id: string;
  kind: Kind;
  at: number;
  action_id: string | null;
  trace_id: string | null;
  message: string;
  page: string;
  route: string;
  element: ElementInfo | null;
  reasons: string[];
  error: ErrorInfo | null;
  requests: RequestInfo[];
  console: ConsoleLine[];
  actions: Action[];
  state: Record<string, unknown> | null;
  expectation: Expectation | null;
  text: string | null;
  viewport: { w: number; h: number };
  locale: string;
  user_agent: string;
}

export interface Outcome {
  route: string;
  element: ElementInfo;
  at: number;
  ms: number;
  requests: { method: string; path: string; status: number }[];
  navigated: string | null;
  appeared: Locator[];
}

export interface Question {
  id: string;
  text: string;
  choices: { id: string; label: string }[];
  free_text: boolean;
}

export interface IncidentState {
  type: "incident";
  incident: string;
  version: number;
  stage: Stage;
  kind: Kind;
  title: string;
  body: string;
  progress: number | null;
  question: Question | null;
  actions: string[];
  ask_rating: boolean;
  seen?: boolean;
  release: { cookie: string; token: string } | null;
  at: number;
}

export interface Config { silent_ms: number; slow_ms: number; shadow: boolean; popup: boolean }

export interface Hello {
  type: "hello";
  v: 1;
  key: string;
  session: string | null;
  identity: string | null;
  page: string;
  sdk: string;
  locale: string;
  user_agent: string;
}

export interface Chunk {
  type: "chunk";
  client_event_id: string;
  seq: number;
  last: boolean;
  encoding: "gzip+base64";
  sha256: string;
  data: string;
}

export type ClientFrame =
  | Hello
  | { type: "report"; report: Report }
  | Chunk
  | { type: "outcome"; outcome: Outcome }
  | { type: "answer"; incident: string; question: string; choice: string | null; text: string | null; client_event_id: string }
  | { type: "rating"; incident: string; stars: number; text: string | null; client_event_id: string }
  | { type: "try_again"; incident: string; client_event_id: string }
  | { type: "seen"; incident: string; version: number }
  | { type: "identify"; identity: string }
  | { type: "ping" };

export interface Welcome {
  type: "welcome";
  v: number;
  session: string;
  user: string | null;
  config: Partial<Config>;
  server_time: number;
}

export interface ServerError {
  type: "error";
  code: string;
  message: string;
  client_event_id: string | null;
  retry_after?: number;
}

export type ServerFrame =
  | Welcome
  | { type: "snapshot"; incidents: IncidentState[] }
  | IncidentState
  | { type: "ack"; client_event_id: string; incident: string | null }
  | { type: "chunk_ack"; client_event_id: string; seq: number }
  | { type: "pong" }
  | ServerError;
