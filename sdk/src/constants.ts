/** Every number of the SDK, with its unit and its reason. */

export const SDK_VERSION = "0.1.0";
export const PROTOCOL = 1;
/** Tag of our own element: left out of detection and recording. */
export const OVERLAY_TAG = "kriptik-overlay";

// --- detection -----------------------------------------------------------------------------------
/** ms; nothing answered a click for this long: half a second is left for the popup within 3 s. */
export const SILENT_MS = 2500;
/** ms; a request of an action still open after this long is a slow response. */
export const SLOW_MS = 5000;
/** ms after a failed answer in which a visible message lets the page off; popup is due at 500. */
export const TOLD_GRACE_MS = 300;
/** ms after an exception before it is reported: lets a boundary paint, and a second error join. */
export const EXCEPTION_GRACE_MS = 150;
/** ms after a console.error in which any visible effect shows that the page coped. */
export const SWALLOWED_GRACE_MS = 600;
/** ms after an action's last sign of life in which requests and effects still count as its own. */
export const ATTRIBUTION_MS = 1000;
/** ms; an action never owns anything later than this (polling would keep it alive for ever). */
export const ACTION_MAX_MS = 15_000;
/** ms without new facts after which a healthy action's outcome is complete. */
export const OUTCOME_QUIET_MS = 1500;
/** ms before an action in which a repeated mutation shows that this spot moves by itself. */
export const BACKGROUND_MS = 10_000;
/** Two own moves in that window make a spot background: a clock or a spinner reaches it, a toggle does not. */
export const BACKGROUND_TIMES = 2;
/** Mutation records looked at per callback; beyond, the rest counts only as noise (floods cost no frame). */
export const MUTATIONS_PER_BATCH = 500;
/** ms after a click in which a scroll is the page's own answer (later ones are the user's wheel). */
export const SCROLL_ANSWER_MS = 300;
/** ms; same kind on the same element again within this is the same trouble, not a new report. */
export const FOLD_MS = 10_000;
/** ms from a pointerdown to the click that belongs to it (long presses are not clicks on a control). */
export const PRESS_MS = 1500;
/** ms after a login in which being thrown out is our AUTH_ISSUE. */
export const LOGIN_WATCH_MS = 10_000;
/** ms between two rounds of the declared expectations while the page is visible. */
export const EXPECT_EVERY_MS = 10_000;
/** ms a mismatch must last before it is reported, when the page names no time. */
export const EXPECT_MS = 2000;
/** ms after load or an action before expectations are first read: the page paints first. */
export const EXPECT_SETTLE_MS = 400;
/** px; a canvas this big can answer in pixels we don't see, so silence there proves nothing. */
export const CANVAS_PX = 100;
/** Inputs whose value is compared before and after a click (scripts change values without a mutation). */
export const FORM_FIELDS = 100;

// --- action log ----------------------------------------------------------------------------------
/** ms of actions kept and sent with a report. */
export const JOURNEY_MS = 60_000;
/** Actions kept: 60 s of fast work. */
export const JOURNEY_MAX = 80;
/** Characters of sessionStorage for the journey (quota is shared with the host page). */
export const JOURNEY_CHARS = 200_000;
/** ms between writes of the journey, besides the one on pagehide. */
export const JOURNEY_SAVE_MS = 250;
/** Elements that appeared, kept per action. */
export const APPEARED_MAX = 8;
/** Characters of an accessible name. */
export const NAME_MAX = 80;
/** Characters of a masked shape (wire limit). */
export const SHAPE_MAX = 80;
/** Requests and console lines kept. */
export const REQUESTS_MAX = 50;
export const CONSOLE_MAX = 30;
/** Characters of one console line, a message, a response excerpt (wire limits). */
export const TEXT_MAX = 500;
/** Characters of a stack. */
export const STACK_MAX = 4000;
/** Characters of a JSON answer that is looked into for an error. */
export const BODY_MAX = 100_000;
/** Characters of the host's state snapshot (wire limit 8 KiB). */
export const STATE_MAX = 8192;

// --- recorder ------------------------------------------------------------------------------------
/** ms between full snapshots; two of them cover the last 60 s. */
export const RECORD_CHECKOUT_MS = 30_000;
/** Events kept in memory: a flood drops the recording's oldest half, never the page's memory. */
export const RECORD_EVENTS_MAX = 20_000;
/** Bytes of gzip in one chunk: base64 and JSON keep it below the 512 KiB frame limit. */
export const CHUNK_BYTES = 300_000;
/** Chunks per report: bounds what one incident may upload. */
export const CHUNKS_MAX = 12;
/** ms after load before the recorder is fetched when the user has not yet touched the page. */
export const RECORD_IDLE_MS = 4000;

// --- transport -----------------------------------------------------------------------------------
/** Bytes of one frame (wire limit). */
export const FRAME_MAX = 512 * 1024;
/** ms of the first wait before reconnecting, doubled each time up to the cap. */
export const BACKOFF_MS = 500;
export const BACKOFF_MAX_MS = 30_000;
/** Failed sockets in a row before reports go over HTTP. */
export const SOCKET_TRIES = 2;
/** ms between pings; proxies drop idle sockets after 30 to 60 s. */
export const PING_MS = 25_000;
/** ms without any frame after a ping: the socket is dead though nobody closed it. */
export const PONG_MS = 10_000;
/** Frames in one HTTP body (wire limit 50). */
export const HTTP_FRAMES_MAX = 40;
/** ms between polls over HTTP. */
export const POLL_MS = 5000;
/** Frames kept unacknowledged; recordings are dropped first. */
export const QUEUE_MAX = 60;
/** Characters of one beacon (browsers refuse above 64 KiB in all). */
export const BEACON_MAX = 60_000;
/** ms before its expiry at which an identity is renewed. */
export const IDENTITY_EARLY_MS = 60_000;
/** ms between tries to get an identity while there is none; login without a page load is seen by then. */
export const IDENTITY_RETRY_MS = 60_000;

// --- overlay -------------------------------------------------------------------------------------
/** ms between two messages shown, so that each can be read. */
export const MESSAGE_MS = 1500;
/** ms of a status stage after which the panel shrinks to a chip. */
export const CHIP_MS = 12_000;
