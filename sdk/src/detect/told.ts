/** Was the user told of the trouble, by anything that changed since the action or by an alert already standing? */
import { alertShown, tellsTrouble } from "../capture/visible";
import type { Track } from "./track";

const TELLING = new Set(["dialog"]);

export function wasTold(track: Track): boolean {
  if (Array.from(track.effects).some((effect) => TELLING.has(effect))) return true;
  return alertShown() || track.changed.some((element) => tellsTrouble(element));
}
