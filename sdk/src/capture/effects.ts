/** Answers to a click that leave no trace in the DOM tree. Each is told by name, at the moment it happens. */
import { listen, Undo } from "../browser/guard";
import { watchCalls } from "../browser/patch";
import { isAnalytics } from "./network";
import { isOwn } from "./visible";

/** `target`: the element concerned, when an answer inside the clicked control itself would not count. */
export type EffectTold = (name: string, target?: Element) => void;

const MEDIA_EVENTS = ["play", "pause", "seeking", "volumechange", "ratechange"];
const FIELD_EVENTS = ["change", "input", "invalid", "toggle", "cancel", "close", "fullscreenchange"];
const CLIPBOARD_EVENTS = ["copy", "cut", "paste"];
const MOTION_EVENTS = ["transitionrun", "animationstart"];

function calls(tell: EffectTold): (() => void)[] {
  const spots: [object | null | undefined, string, string][] = [
    [window, "open", "window_open"], [window, "print", "print"], [window, "alert", "dialog"],
    [window, "confirm", "dialog"], [window, "prompt", "dialog"],
    [navigator.clipboard && Object.getPrototypeOf(navigator.clipboard), "writeText", "clipboard"],
    [navigator.clipboard && Object.getPrototypeOf(navigator.clipboard), "write", "clipboard"],
    [navigator, "share", "share"], [navigator, "vibrate", "vibrate"],
    [window.HTMLMediaElement?.prototype, "play", "media"], [window.HTMLMediaElement?.prototype, "pause", "media"],
    [window.AudioScheduledSourceNode?.prototype, "start", "media"],
    [window.speechSynthesis && Object.getPrototypeOf(window.speechSynthesis), "speak", "media"],
    [window.HTMLInputElement?.prototype, "showPicker", "picker"],
    [window.Element?.prototype, "requestFullscreen", "fullscreen"],
    [window.WebSocket?.prototype, "send", "websocket"],
  ];
  return [
    ...spots.map(([owner, name, effect]) => watchCalls(owner, name, () => tell(effect))),
    // Downloads and pickers are opened so; a script that clicks another button has answered nothing yet.
    watchCalls(window.HTMLElement?.prototype, "click", (_, self) => {
      if (self instanceof HTMLAnchorElement || (self instanceof HTMLInputElement && self.type === "file")) tell("scripted_click");
    }),
    watchCalls(navigator, "sendBeacon", (args) => {
      if (!isAnalytics(new URL(String(args[0]), location.href))) tell("beacon");
    }),
  ];
}

const targetOf = (event: Event): Element | undefined => {
  const target = event.composedPath()[0];
  return target instanceof Element ? target : undefined;
};

function events(tell: EffectTold): (() => void)[] {
  const on = (types: string[], name: string, withTarget: boolean): (() => void)[] =>
    types.map((type) => listen(document, type, (event: Event) => {
      const target = targetOf(event);
      if (!isOwn(target ?? null)) tell(name, withTarget ? target : undefined);
    }));
  return [
    ...on(MEDIA_EVENTS, "media", false), ...on(FIELD_EVENTS, "field", false), ...on(CLIPBOARD_EVENTS, "clipboard", false),
    ...on(MOTION_EVENTS, "motion", true), ...on(["focusin"], "focus", true), ...on(["scroll"], "scroll", false),
    listen(window, "blur", () => tell("window_blur")),
    listen(window, "beforeprint", () => tell("print")),
    listen(document, "visibilitychange", () => tell("visibility")),
    listen(document, "selectionchange", () => {
      if (document.getSelection()?.isCollapsed === false) tell("selection");
    }),
  ];
}

export function effectsWatch(tell: EffectTold): () => void {
  const undo = new Undo();
  undo.add(...calls(tell), ...events(tell));
  return () => undo.stop();
}
