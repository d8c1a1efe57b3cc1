"""The words that users read, by (kind, stage). All of them are here, so that the tone is one person's.

Short, warm, no jargon, no blame, no emoji. "Fixed" is said in `resolved` only; when our remedy failed we
say so.
"""

from dataclasses import dataclass

from notifications.messages import Button, Kind, Stage


@dataclass(frozen=True)
class Words:
    title: str
    body: str


BUTTONS: dict[Stage, list[Button]] = {
    Stage.DETECTED: ["tell_more", "not_now"],
    Stage.DIAGNOSING: ["tell_more", "not_now"],
    Stage.ROOT_CAUSE_FOUND: ["not_now"],
    Stage.FIXING: ["not_now"],
    Stage.VERIFYING: ["not_now"],
    Stage.NEEDS_INPUT: ["not_now"],
    Stage.REPRODUCTION_REQUEST: ["tell_more", "not_now"],
    Stage.RESOLVED: ["try_again"],
    Stage.ESCALATED: ["tell_more", "not_now"],
    Stage.ROLLED_BACK: ["tell_more", "not_now"],
}

_DETECTED: dict[Kind, Words] = {
    Kind.SILENT_FAILURE: Words(
        "That didn't seem to work",
        "Hey! We noticed that nothing happened just now. That's on us, and we're already looking into it.",
    ),
    Kind.ERROR: Words(
        "Something went wrong",
        "Hey! We noticed an error on our side. You did nothing wrong, and we're already looking into it.",
    ),
    Kind.SLOW_RESPONSE: Words(
        "This is taking too long",
        "Hey! We noticed that you're being kept waiting. We're looking into what is holding things up.",
    ),
    Kind.DATA_INCONSISTENCY: Words(
        "These numbers don't look right",
        "Hey! We noticed that this page shows something else than it should. We're checking it now.",
    ),
    Kind.AUTH_ISSUE: Words(
        "Trouble staying logged in?",
        "Hey! We noticed that logging in isn't going smoothly for you. We're looking into it right now.",
    ),
    Kind.BILLING_ISSUE: Words(
        "Your balance doesn't look right",
        "Hey! We noticed that your credits may not be up to date. We're checking it right now.",
    ),
    Kind.UX_CONFUSION: Words(
        "Can we help?",
        "Hey! It looks as if this page isn't making it easy for you. Tell us what you're after.",
    ),
    Kind.USER_REPORTED: Words(
        "Thanks for telling us",
        "We've got your message and we're looking into it now. We'll keep you posted right here.",
    ),
}

_STAGES: dict[Stage, Words] = {
    Stage.DIAGNOSING: Words(
        "We're looking into it", "We're finding out what happened. You can carry on meanwhile."
    ),
    Stage.ROOT_CAUSE_FOUND: Words(
        "We know what it is", "We found out what went wrong, and we know what to do next."
    ),
    Stage.FIXING: Words(
        "We're working on it", "We're putting it right for you now. You can carry on meanwhile."
    ),
    Stage.VERIFYING: Words(
        "Making sure it works", "We have a remedy, and we're trying it out with care before it reaches you."
    ),
    Stage.NEEDS_INPUT: Words("One quick question", "Your answer helps us to put this right."),
    Stage.REPRODUCTION_REQUEST: Words(
        "Could you do that once more?", "We'd like to see it happen again. Please repeat what you just did."
    ),
    Stage.RESOLVED: Words(
        "Fixed", "It's fixed, and we checked it. Please try again. Thanks for your patience!"
    ),
    Stage.ESCALATED: Words(
        "A person is on it",
        "We couldn't sort this out at once, so a person on our team will look at it. Sorry for the trouble!",
    ),
    Stage.ROLLED_BACK: Words(
        "That didn't help",
        "Our change didn't help, so we took it back. All is as it was before. Sorry, we're still on it!",
    ),
}

# Where the general words would be untrue or cold.
_SPECIAL: dict[tuple[Kind, Stage], Words] = {
    (Kind.BILLING_ISSUE, Stage.FIXING): Words(
        "We're updating your balance", "We found your purchase, and we're bringing your balance up to date."
    ),
    (Kind.BILLING_ISSUE, Stage.RESOLVED): Words(
        "Fixed: your balance is right again",
        "Your purchase is now in your balance. Thanks for your patience!",
    ),
    (Kind.DATA_INCONSISTENCY, Stage.RESOLVED): Words(
        "Fixed: this page is right again", "What you see is up to date again. Thanks for your patience!"
    ),
    (Kind.AUTH_ISSUE, Stage.FIXING): Words(
        "We're restoring your login", "We're setting up a fresh session for you. It only takes a moment."
    ),
    (Kind.AUTH_ISSUE, Stage.RESOLVED): Words(
        "Fixed: you can log in again", "Your session works again. Please try again. Thanks for your patience!"
    ),
    (Kind.SLOW_RESPONSE, Stage.RESOLVED): Words(
        "Fixed: it's quicker now", "This should no longer keep you waiting. Thanks for your patience!"
    ),
    (Kind.UX_CONFUSION, Stage.RESOLVED): Words(
        "Fixed",
        "We've made this page easier to use. Please try again, and tell us if it still gets in your way.",
    ),
    (Kind.UX_CONFUSION, Stage.DIAGNOSING): Words(
        "We're looking at it",
        "We're finding out what makes this page hard to use. You can carry on meanwhile.",
    ),
}


def words(kind: Kind, stage: Stage) -> Words:
    """What a user reads at this stage of this sort of trouble."""
    if stage is Stage.DETECTED:
        return _DETECTED[kind]
    return _SPECIAL.get((kind, stage)) or _STAGES[stage]
