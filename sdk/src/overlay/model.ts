/** What the overlay knows: one card per trouble, from the first notice on this page to the server's last word. */
import type { IncidentState, Stage } from "../types";
import type { Noticed } from "./ports";
import { noticedWords, TEXT, type Words } from "./text";

export interface Card {
  /** client_event_id of the report made here; null for an incident known only from the server. */
  report: string | null;
  incident: string | null;
  noticed: Noticed | null;
  state: IncidentState | null;
  /** Stars given; the question is not asked twice. */
  stars: number;
  /** The user came back after Try Again: only the rating is left. */
  tried: boolean;
}

export const cardOf = (part: Partial<Card>): Card =>
  ({ report: null, incident: null, noticed: null, state: null, stars: 0, tried: false, ...part });

export const stageOf = (card: Card): Stage => card.state?.stage ?? "detected";

/** Needs the user's eyes; the others can run on as a chip. */
const CALLS_USER = new Set<Stage>(["needs_input", "reproduction_request", "resolved", "escalated", "rolled_back"]);
export const callsUser = (card: Card): boolean => CALLS_USER.has(stageOf(card)) && !card.tried;

export function wordsOf(card: Card): Words {
  if (card.tried) return { title: TEXT.tried, body: TEXT.triedBody };
  if (card.state) return { title: card.state.title, body: card.state.body };
  return noticedWords(card.noticed?.kind ?? "USER_REPORTED", card.noticed?.name ?? null);
}

/** Cards by arrival; the newest trouble comes first. */
export class Cards {
  private readonly cards: Card[] = [];

  noticed(noticed: Noticed): Card {
    const card = cardOf({ report: noticed.client_event_id, noticed });
    this.cards.unshift(card);
    return card;
  }

  /** Joins a report to its incident; an incident that has a card already swallows the new one. */
  bound(report: string, incident: string): Card | null {
    const card = this.cards.find((other) => other.report === report);
    if (!card) return null;
    const twin = this.cards.find((other) => other.incident === incident && other !== card);
    if (twin) {
      card.state = twin.state;
      this.remove(twin);
    }
    card.incident = incident;
    return card;
  }

  applied(state: IncidentState): Card {
    let card = this.cards.find((other) => other.incident === state.incident);
    if (!card) {
      card = cardOf({ incident: state.incident });
      this.cards.push(card);
    }
    if (!card.state || card.state.version < state.version) card.state = state;
    return card;
  }

  remove(card: Card): void {
    const index = this.cards.indexOf(card);
    if (index >= 0) this.cards.splice(index, 1);
  }

  next(): Card | null {
    return this.cards.find(callsUser) ?? this.cards[0] ?? null;
  }
}
