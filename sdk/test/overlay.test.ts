import { beforeEach, describe, expect, test, vi } from "vitest";
import { markdown } from "../src/overlay/markdown";
import { overlayCreate } from "../src/overlay/overlay";
import type { Overlay, OverlayPorts } from "../src/overlay/ports";
import { noticedWords } from "../src/overlay/text";
import type { IncidentState, Kind } from "../src/types";

const html = (text: string): string => markdown(text).map((element) => element.outerHTML).join("");

describe("light markdown", () => {
  test.each([
    ["a **b** *c* `d`", "<p>a <strong>b</strong> <em>c</em> <code>d</code></p>"],
    ["one\n\n- x\n- y", "<p>one</p><ul><li>x</li><li>y</li></ul>"],
    ["<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"],
    ["[a](javascript:x)", "<p>[a](javascript:x)</p>"],
    ["[a](https://x.test)", '<p><a href="https://x.test" target="_blank" rel="noopener noreferrer">a</a></p>'],
  ])("%j", (text, expected) => expect(html(text)).toBe(expected));
});

test.each(["SILENT_FAILURE", "ERROR", "SLOW_RESPONSE", "DATA_INCONSISTENCY", "AUTH_ISSUE", "BILLING_ISSUE", "UX_CONFUSION", "USER_REPORTED"] as Kind[])(
  "%s has words, without jargon", (kind) => {
    const { title, body } = noticedWords(kind, "Save");
    expect(`${title} ${body}`).not.toMatch(/exception|request|http|error code|undefined/i);
    expect(title.length).toBeGreaterThan(10);
  });

const noticed = { client_event_id: "event-1", action_id: "a1", kind: "SILENT_FAILURE" as Kind, name: "Go", reasons: [] };
const state = (version: number, rest: Partial<IncidentState> = {}): IncidentState => ({
  type: "incident", incident: "inc_a", version, stage: "diagnosing", kind: "ERROR", title: `v${version}`, body: "", progress: null,
  question: null, actions: ["tell_more", "not_now"], ask_rating: false, release: null, at: 0, ...rest,
});

describe("the panel", () => {
  let root: ShadowRoot;
  let overlay: Overlay;
  let ports: { [K in keyof OverlayPorts]: OverlayPorts[K] };
  const part = (name: string): HTMLElement | null => root.querySelector(`[data-part="${name}"]`);

  beforeEach(() => {
    vi.useFakeTimers();
    const host = document.body.appendChild(document.createElement("kriptik-overlay"));
    root = host.attachShadow({ mode: "open" });
    ports = {
      root, nonce: "", now: () => Date.now(), answer: vi.fn(), rate: vi.fn(), tryAgain: vi.fn(), help: vi.fn(() => "event-9"),
      dismissed: vi.fn(), tried: vi.fn(), wasTried: () => false, reload: vi.fn(), shows: vi.fn(),
    };
    overlay = overlayCreate(ports);
    return () => {
      overlay.remove();
      host.remove();
      vi.useRealTimers();
    };
  });

  test("is there at once, before the server knows", () => {
    overlay.noticed(noticed);
    expect(part("title")?.textContent).toBe("Hey! We noticed “Go” didn't respond");
    expect(part("panel")?.getAttribute("role")).toBe("dialog");
  });

  test("changes its message at most every 1.5 s and ends on the newest", () => {
    overlay.noticed(noticed);
    overlay.bound("event-1", "inc_a");
    vi.advanceTimersByTime(1500);
    overlay.incident(state(1));
    overlay.incident(state(2));
    overlay.incident(state(3));
    expect(part("title")?.textContent).toBe("v1");
    vi.advanceTimersByTime(1499);
    expect(part("title")?.textContent).toBe("v1");
    vi.advanceTimersByTime(1);
    expect(part("title")?.textContent).toBe("v3");
  });

  test("shrinks to a chip while a long fix runs, and opens again when it calls", () => {
    overlay.noticed(noticed);
    overlay.bound("event-1", "inc_a");
    overlay.incident(state(1, { progress: 0.4 }));
    vi.advanceTimersByTime(20_000);
    expect(part("panel")).toBeNull();
    expect(part("chip")?.textContent).toContain("40 %");
    overlay.incident(state(2, { stage: "resolved", title: "Fixed" }));
    expect(part("title")?.textContent).toBe("Fixed");
  });

  test("keeps words that are being written", () => {
    overlay.openHelp();
    (part("input") as HTMLTextAreaElement).value = "my words";
    overlay.noticed(noticed);
    overlay.incident(state(1));
    vi.advanceTimersByTime(5000);
    expect((part("input") as HTMLTextAreaElement).value).toBe("my words");
    part("send")?.click();
    expect(ports.help).toHaveBeenCalledWith("my words");
  });

  test("an answer goes to the question, once", () => {
    const question = { id: "q1", text: "Sure?", choices: [{ id: "yes", label: "Yes" }], free_text: true };
    overlay.incident(state(1, { stage: "needs_input", question }));
    part("answer-yes")?.click();
    expect(ports.answer).toHaveBeenCalledExactlyOnceWith("inc_a", "q1", "yes", null);
    expect(part("panel")).toBeNull();
  });

  test("Try Again after a fix reloads the page; before it, it only says so", () => {
    overlay.incident(state(1, { stage: "reproduction_request", actions: ["try_again"] }));
    part("try-again")?.click();
    vi.advanceTimersByTime(2000);
    expect(ports.tryAgain).toHaveBeenCalledWith("inc_a");
    expect(ports.reload).not.toHaveBeenCalled();
    overlay.incident(state(2, { stage: "resolved", actions: ["try_again"] }));
    part("try-again")?.click();
    vi.advanceTimersByTime(300);
    expect(ports.reload).toHaveBeenCalledOnce();
  });

  test("Escape puts a running fix aside and ends a finished one", () => {
    overlay.incident(state(1, { stage: "resolved", ask_rating: true }));
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect(part("panel")).toBeNull();
    expect(ports.dismissed).toHaveBeenCalledWith(expect.objectContaining({ incident: "inc_a", version: 1 }));
  });
});
