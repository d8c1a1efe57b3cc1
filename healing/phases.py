"""The heal run's phases and its legal moves; docs/state-machines.md draws the same table."""

from django.db.models import TextChoices

from core.transitions import machine


class Phase(TextChoices):
    """Each phase names the work that comes next; the comment says what is then true of the world."""

    QUEUED = "queued"  # the run exists; nobody has looked at its evidence
    TRIAGING = "triaging"  # caps and switches let it in; its evidence pack is stored
    DIAGNOSING = "diagnosing"  # no known pattern has settled it; the cause is being looked for
    NEEDS_INPUT = "needs_input"  # the user was asked one question; nothing moves until answer or deadline
    REMEDIATING = "remediating"  # a runbook is chosen; it may have been applied but not yet judged
    REPRODUCING = "reproducing"  # the remedy must be code; the fault is being shown on a clone
    REPAIRING = "repairing"  # the unchanged base was seen to fail; an edit is being looked for
    VERIFYING = "verifying"  # a fix is committed under refs/kriptik/fix/; nothing serves it yet
    AWAITING_OWNER = "awaiting_owner"  # only the owner can let it go on; the reason says why
    ROLLING_OUT = "rolling_out"  # the fix is verified and may go live; flags moves it
    SETTLED = "settled"  # the remedy holds
    ROLLED_BACK = "rolled_back"  # the fix was live and was taken back
    REJECTED = "rejected"  # the owner said no
    GAVE_UP = "gave_up"  # no rung held; the owner has the evidence

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL

    @property
    def is_waiting(self) -> bool:
        return self in WAITING


class Origin(TextChoices):
    INCIDENT = "incident"  # a user ran into something
    PROPOSAL = "proposal"  # the owner accepted a researched improvement
    QUICK_FIX = "quick_fix"  # the owner typed what is wrong


class Rung(TextChoices):
    """The ladder of remedies; the first that holds wins."""

    PATTERN_RUNBOOK = "pattern_runbook"  # a runbook that healed the same before
    RUNBOOK = "runbook"  # a runbook whose declared types match
    PATTERN_CODE = "pattern_code"  # an edit template that healed the same before
    OFFLINE = "offline"  # search over the fixed template set
    OWNER = "owner"  # a person


TERMINAL = frozenset({Phase.SETTLED, Phase.ROLLED_BACK, Phase.REJECTED, Phase.GAVE_UP})
WAITING = frozenset({Phase.NEEDS_INPUT, Phase.AWAITING_OWNER})
LIVE = frozenset(Phase) - TERMINAL
WORKING = LIVE - WAITING

HEAL_RUN = machine(
    "heal run",
    {
        Phase.QUEUED: [Phase.TRIAGING, Phase.GAVE_UP],
        Phase.TRIAGING: [Phase.DIAGNOSING, Phase.REMEDIATING, Phase.REPRODUCING, Phase.GAVE_UP],
        Phase.DIAGNOSING: [
            Phase.REMEDIATING,
            Phase.REPRODUCING,
            Phase.NEEDS_INPUT,
            Phase.AWAITING_OWNER,
            Phase.GAVE_UP,
        ],
        Phase.NEEDS_INPUT: [Phase.DIAGNOSING, Phase.REMEDIATING, Phase.GAVE_UP],
        Phase.REMEDIATING: [
            Phase.SETTLED,
            Phase.NEEDS_INPUT,
            Phase.AWAITING_OWNER,
            Phase.DIAGNOSING,
            Phase.REPRODUCING,
            Phase.GAVE_UP,
        ],
        Phase.REPRODUCING: [Phase.REPAIRING, Phase.GAVE_UP],
        Phase.REPAIRING: [Phase.VERIFYING, Phase.GAVE_UP],
        Phase.VERIFYING: [Phase.ROLLING_OUT, Phase.AWAITING_OWNER, Phase.REPAIRING, Phase.GAVE_UP],
        Phase.AWAITING_OWNER: [Phase.ROLLING_OUT, Phase.REMEDIATING, Phase.REJECTED, Phase.GAVE_UP],
        Phase.ROLLING_OUT: [Phase.SETTLED, Phase.ROLLED_BACK, Phase.AWAITING_OWNER, Phase.GAVE_UP],
        Phase.SETTLED: [],
        Phase.ROLLED_BACK: [],
        Phase.REJECTED: [],
        Phase.GAVE_UP: [],
    },
)

MACHINES = [HEAL_RUN]
