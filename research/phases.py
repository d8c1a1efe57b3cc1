"""A proposal's phases and its legal moves; docs/state-machines.md draws the same table."""

from django.db.models import TextChoices

from core.transitions import machine


class Phase(TextChoices):
    """Where a proposal stands; each comment says what is then true of the world."""

    PROPOSED = "proposed"  # researched and scored; the owner has not decided
    APPROVED = "approved"  # the owner wants it; nobody has planned it yet
    SCHEDULED = "scheduled"  # it has its turn; no work has begun
    IMPLEMENTING = "implementing"  # a heal run with this origin works on it
    DEPLOYED = "deployed"  # it is live for everyone
    REJECTED = "rejected"  # the owner said no; the same idea is not proposed again
    FAILED = "failed"  # the run gave up; the owner may approve it anew


PROPOSAL = machine(
    "proposal",
    {
        Phase.PROPOSED: [Phase.APPROVED, Phase.REJECTED],
        Phase.APPROVED: [Phase.SCHEDULED, Phase.REJECTED],
        Phase.SCHEDULED: [Phase.IMPLEMENTING, Phase.REJECTED],
        Phase.IMPLEMENTING: [Phase.DEPLOYED, Phase.FAILED],
        Phase.DEPLOYED: [],
        Phase.REJECTED: [],
        Phase.FAILED: [Phase.APPROVED, Phase.REJECTED],
    },
)

MACHINES = [PROPOSAL]
