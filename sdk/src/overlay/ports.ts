/** What the overlay needs of the client, and the client of the overlay. */
import type { IncidentState, Kind } from "../types";

/** Something was noticed here, before the server knows of it. */
export interface Noticed {
  client_event_id: string;
  action_id: string | null;
  kind: Kind;
  /** Name of the control, when it has one. */
  name: string | null;
  reasons: string[];
}

export interface OverlayPorts {
  /** The shadow root to draw into. */
  root: ShadowRoot;
  /** CSP nonce of the page, where it has one. */
  nonce: string;
  now: () => number;
  answer: (incident: string, question: string, choice: string | null, text: string | null) => void;
  rate: (incident: string, stars: number, text: string | null) => void;
  tryAgain: (incident: string) => void;
  /** USER_REPORTED; returns the client_event_id of the report. */
  help: (text: string) => string;
  /** The user closed this incident's panel: it does not come back by itself. */
  dismissed: (state: IncidentState) => void;
  /** The user reloads to try a fix: on the new page we only ask how it went. */
  tried: (incident: string) => void;
  wasTried: (incident: string) => boolean;
  reload: () => void;
  /** What is shown now, for `Kriptik.on("state")`. */
  shows: (state: { open: boolean; stage: string | null; incident: string | null; client_event_id: string | null }) => void;
}

export interface Overlay {
  noticed: (noticed: Noticed) => void;
  /** The server took the report in: from now on the incident's states fill the panel. */
  bound: (clientEventId: string, incident: string) => void;
  incident: (state: IncidentState) => void;
  openHelp: () => void;
  remove: () => void;
}

/** What the overlay chunk registers. */
export interface OverlayChunk { create: (ports: OverlayPorts) => Overlay }
