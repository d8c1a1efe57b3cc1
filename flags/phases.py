"""The phases of rollouts and releases, and the moves between them (drawn in docs/state-machines.md)."""

from django.db import models

from core.transitions import Machine, machine


class RolloutPhase(models.TextChoices):
    PENDING = "pending"  # nobody is on the candidate; it waits for its turn, its process and its gateway
    AFFECTED_USER = "affected_user"  # the one user who had the trouble is on the candidate
    SIMILAR_USERS = "similar_users"  # so are similar users, up to a tenth of those seen lately
    FULL = "full"  # everyone is on it; watched on, then merged (finished_at is set)
    HELD = "held"  # its members stay, nothing advances: the owner decides before the deadline
    ROLLED_BACK = "rolled_back"  # nobody is on it; once finished_at is set that has been proved

    @property
    def is_live(self) -> bool:
        """Somebody may be on the candidate."""
        return self in LIVE


LIVE = frozenset(
    {RolloutPhase.AFFECTED_USER, RolloutPhase.SIMILAR_USERS, RolloutPhase.FULL, RolloutPhase.HELD}
)

ROLLOUT = machine(
    "rollout",
    {
        RolloutPhase.PENDING: [RolloutPhase.AFFECTED_USER, RolloutPhase.ROLLED_BACK],
        RolloutPhase.AFFECTED_USER: [RolloutPhase.SIMILAR_USERS, RolloutPhase.HELD, RolloutPhase.ROLLED_BACK],
        RolloutPhase.SIMILAR_USERS: [RolloutPhase.FULL, RolloutPhase.HELD, RolloutPhase.ROLLED_BACK],
        RolloutPhase.FULL: [RolloutPhase.HELD, RolloutPhase.ROLLED_BACK],
        # The owner's approval counts as the evidence that the held phase could not get: on to the next.
        RolloutPhase.HELD: [RolloutPhase.SIMILAR_USERS, RolloutPhase.FULL, RolloutPhase.ROLLED_BACK],
        RolloutPhase.ROLLED_BACK: [],
    },
)

NEXT = {
    RolloutPhase.AFFECTED_USER: RolloutPhase.SIMILAR_USERS,
    RolloutPhase.SIMILAR_USERS: RolloutPhase.FULL,
    RolloutPhase.FULL: RolloutPhase.FULL,
}


class ReleasePhase(models.TextChoices):
    BUILT = "built"  # its tree lies in its directory; no process
    STARTING = "starting"  # a process may run; it has not answered its health check yet
    READY = "ready"  # it answers its health check and may take traffic
    STOPPED = "stopped"  # ended on purpose; its process group is gone
    FAILED = "failed"  # never became healthy, or died by itself


RELEASE = machine(
    "release",
    {
        ReleasePhase.BUILT: [ReleasePhase.STARTING, ReleasePhase.STOPPED],
        ReleasePhase.STARTING: [ReleasePhase.READY, ReleasePhase.FAILED, ReleasePhase.STOPPED],
        ReleasePhase.READY: [ReleasePhase.STOPPED, ReleasePhase.FAILED],
        # Stable is started again by the next `manage.py up`, and after a crash.
        ReleasePhase.STOPPED: [ReleasePhase.STARTING],
        ReleasePhase.FAILED: [ReleasePhase.STARTING, ReleasePhase.STOPPED],
    },
)

MACHINES: list[Machine] = [ROLLOUT, RELEASE]
