"""The incident's states and its legal moves; docs/state-machines.md draws the same table."""

from django.db.models import TextChoices

from core.transitions import machine


class Status(TextChoices):
    """Where an incident stands; each comment says what is then true of the world."""

    DETECTED = "detected"  # at least one report is stored; nobody works on it yet
    DIAGNOSING = "diagnosing"  # a heal run looks for the cause
    NEEDS_INPUT = "needs_input"  # the run waits for the user's answer to `Incident.question`
    FIXING = "fixing"  # a runbook is applied or code is being written
    VERIFYING = "verifying"  # a remedy exists and is being proved
    AWAITING_OWNER = "awaiting_owner"  # a remedy or a decision lies before the owner
    DEPLOYED = "deployed"  # a candidate release serves at least the affected user
    RESOLVED = "resolved"  # the remedy was verified and holds
    ESCALATED = "escalated"  # we could not heal it; the owner has the evidence
    DISMISSED = "dismissed"  # the owner says that it is no trouble; reports are counted, users not told

    @property
    def is_settled(self) -> bool:
        """Nobody works on it."""
        return self in {Status.RESOLVED, Status.ESCALATED, Status.DISMISSED}

    @property
    def needs_owner(self) -> bool:
        return self in {Status.AWAITING_OWNER, Status.ESCALATED}


S = Status
INCIDENT = machine(
    "incident",
    {
        S.DETECTED: [S.DIAGNOSING, S.RESOLVED, S.ESCALATED, S.DISMISSED],
        S.DIAGNOSING: [S.NEEDS_INPUT, S.FIXING, S.AWAITING_OWNER, S.RESOLVED, S.ESCALATED, S.DISMISSED],
        S.NEEDS_INPUT: [S.DIAGNOSING, S.FIXING, S.ESCALATED, S.DISMISSED],
        S.FIXING: [
            S.DIAGNOSING,
            S.NEEDS_INPUT,
            S.VERIFYING,
            S.AWAITING_OWNER,
            S.RESOLVED,
            S.ESCALATED,
            S.DISMISSED,
        ],
        S.VERIFYING: [
            S.DIAGNOSING,
            S.FIXING,
            S.AWAITING_OWNER,
            S.DEPLOYED,
            S.RESOLVED,
            S.ESCALATED,
            S.DISMISSED,
        ],
        S.AWAITING_OWNER: [S.DIAGNOSING, S.FIXING, S.DEPLOYED, S.RESOLVED, S.ESCALATED, S.DISMISSED],
        S.DEPLOYED: [S.DIAGNOSING, S.AWAITING_OWNER, S.RESOLVED, S.ESCALATED, S.DISMISSED],
        S.RESOLVED: [S.DETECTED],  # a comeback
        S.ESCALATED: [S.DETECTED, S.DIAGNOSING, S.RESOLVED, S.DISMISSED],
        S.DISMISSED: [S.DETECTED],  # the owner changed their mind
    },
)
