// Plays a recording. Every byte of it is hostile: it is rebuilt by rrweb in an iframe without scripts, and
// the page's own policy lets the browser ask no server but ours. Canvas replay would need scripts: never on.
import { Replayer } from "@rrweb/replay";
import "@rrweb/replay/dist/style.css";

const MAX_TOTAL_CHARS = 60_000_000; // beyond this a browser tab gives up
const TICK_MS = 200;

type Events = ConstructorParameters<typeof Replayer>[0];

function part<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as T;
}

function say(text: string): void {
  const status = part("status");
  status.textContent = text;
  status.hidden = text === "";
}

async function load(addresses: string[]): Promise<Events> {
  const events: unknown[] = [];
  let total = 0;
  for (const address of addresses) {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`a part of it is damaged or gone (${answer.status})`);
    const text = await answer.text();
    total += text.length;
    if (total > MAX_TOTAL_CHARS) throw new Error("it is too large to play");
    const chunk: unknown = JSON.parse(text);
    if (!Array.isArray(chunk)) throw new Error("a part of it is not a list of events");
    events.push(...chunk.filter((event) => typeof event === "object" && event !== null && "timestamp" in event));
  }
  return events as Events;
}

function fit(replayer: Replayer, root: HTMLElement): void {
  const { width, height } = replayer.iframe.getBoundingClientRect();
  const shown = replayer.wrapper.style.transform ? replayer.iframe : null;
  const w = shown?.offsetWidth ?? width;
  const h = shown?.offsetHeight ?? height;
  if (w === 0 || h === 0) return;
  const scale = Math.min(root.clientWidth / w, root.clientHeight / h, 1);
  replayer.wrapper.style.transform = `scale(${scale})`;
  replayer.wrapper.style.transformOrigin = "0 0";
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function control(replayer: Replayer): void {
  const play = part<HTMLButtonElement>("play");
  const at = part<HTMLInputElement>("at");
  const shown = part("clock");
  const speed = part<HTMLSelectElement>("speed");
  const total = Math.max(1, replayer.getMetaData().totalTime);
  let playing = false;

  const set = (on: boolean): void => {
    playing = on;
    play.textContent = on ? "Pause" : "Play";
  };
  const position = (): number => Math.min(total, (Number(at.value) / 1000) * total);
  play.addEventListener("click", () => {
    if (playing) replayer.pause();
    else replayer.play(position() >= total ? 0 : position());
    set(!playing);
  });
  at.addEventListener("input", () => {
    if (playing) replayer.play(position());
    else replayer.pause(position());
  });
  speed.addEventListener("change", () => replayer.setConfig({ speed: Number(speed.value) }));
  replayer.on("finish", () => set(false));
  setInterval(() => {
    const now = Math.min(total, Math.max(0, replayer.getCurrentTime()));
    if (playing) at.value = String((now / total) * 1000);
    shown.textContent = `${clock(now)} / ${clock(total)}`;
  }, TICK_MS);
  part("controls").hidden = false;
}

async function start(): Promise<void> {
  const root = part("replay");
  const addresses = (root.dataset.chunks ?? "").split(" ").filter((address) => address !== "");
  if (addresses.length === 0) throw new Error("nothing was recorded");
  const events = await load(addresses);
  if (events.length < 2) throw new Error("it holds fewer than two events");
  const replayer = new Replayer(events, { root, UNSAFE_replayCanvas: false, showWarning: false, skipInactive: true });
  replayer.on("resize", () => fit(replayer, root));
  window.addEventListener("resize", () => fit(replayer, root));
  replayer.pause(0);
  fit(replayer, root);
  control(replayer);
  say("");
  document.documentElement.dataset.replay = "ready";
}

start().catch((error: unknown) => {
  say(`This recording can't be shown: ${error instanceof Error ? error.message : "unknown reason"}.`);
  document.documentElement.dataset.replay = "failed";
});
