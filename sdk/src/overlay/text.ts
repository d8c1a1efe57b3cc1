/** Every word that the overlay says by itself. Titles and bodies of later stages come from the server. */
import type { Kind, Stage } from "../types";

export interface Words { title: string; body: string }

const on = (name: string | null, named: (name: string) => string, plain: string): string => (name ? named(`“${name}”`) : plain);

const LOOKING = "That wasn't you. We're **already looking into it** and will keep you posted right here.";

/** What is said at once, before the server knows. */
export function noticedWords(kind: Kind, name: string | null): Words {
  switch (kind) {
    case "SILENT_FAILURE":
      return { title: on(name, (n) => `Hey! We noticed ${n} didn't respond`, "Hey! We noticed that nothing happened"), body: LOOKING };
    case "ERROR":
      return { title: on(name, (n) => `Hey! We noticed ${n} ran into a problem`, "Hey! We noticed something went wrong"), body: LOOKING };
    case "SLOW_RESPONSE":
      return {
        title: on(name, (n) => `Hey! We noticed ${n} is taking long`, "Hey! We noticed this is taking long"),
        body: "You can keep this page open. We're **checking what holds it up**.",
      };
    case "DATA_INCONSISTENCY":
      return { title: "Hey! We noticed a number here looks off", body: "What you see doesn't match our records. We're **comparing both** now." };
    case "AUTH_ISSUE":
      return { title: "Hey! We noticed you were signed out again", body: "You had only just signed in. We're **looking into it** now." };
    case "BILLING_ISSUE":
      return { title: "Hey! We noticed something off with your payment", body: "Nothing is lost. We're **checking it against our records** now." };
    case "UX_CONFUSION":
      return { title: "Is something not clear here?", body: "Tell us what you were trying to do. We'll help." };
    case "USER_REPORTED":
      return { title: "Thank you for telling us", body: "We have your message and everything we need to look into it." };
  }
}

export const TEXT = {
  brand: "KripTik",
  dialog: "Problem status",
  close: "Close",
  tryAgain: "Try Again",
  tellMore: "Tell us more",
  notNow: "Not now",
  send: "Send",
  done: "Done",
  helpTitle: "How can we help?",
  helpBody: "Describe what happened, or what you expected. We'll see what you did just before, so no need to explain it all.",
  helpPlaceholder: "For example: I pressed Generate and nothing happened",
  tellTitle: "Tell us more",
  tellBody: "Anything you add helps us get it right.",
  tellPlaceholder: "What did you expect to happen?",
  answerPlaceholder: "Type your answer",
  rate: "How did we do?",
  rated: "Thank you for rating",
  star: (count: number): string => (count === 1 ? "1 star" : `${count} stars`),
  tried: "Did it work this time?",
  triedBody: "Your rating tells us whether it is really fixed.",
  progress: "Progress",
  open: "Show status",
  steps: ["Noticed", "Cause found", "Fixing", "Checking", "Fixed"],
} as const;

/** On the chip, where a few words must do. */
export const CHIP: Record<Stage | "tried", string> = {
  detected: "Looking into it",
  diagnosing: "Finding the cause",
  root_cause_found: "Cause found",
  fixing: "Fixing it",
  verifying: "Checking the fix",
  needs_input: "A question for you",
  reproduction_request: "Please try once more",
  resolved: "Fixed",
  escalated: "Our team is on it",
  rolled_back: "Back to the safe version",
  tried: "How did it go?",
};

/** Which of the steps a stage stands on; null where the steps say nothing. */
export const STEP_OF: Record<Stage, number | null> = {
  detected: 0, diagnosing: 0, root_cause_found: 1, fixing: 2, verifying: 3, resolved: 4,
  needs_input: null, reproduction_request: null, escalated: null, rolled_back: null,
};
