"""What others may do to flags, releases and rollouts."""

from flags.services.kill import kill_all, kill_lift, release_kill, rollout_take_back, rollout_undo
from flags.services.moves import (
    assignment_make,
    member_digest,
    member_tell,
    phase_deadline,
    replay_ask,
    rollout_move,
)
from flags.services.rollouts import rollout_approve, rollout_replay_result, rollout_start
from flags.services.stable import stable_route, stable_start

__all__ = [
    "assignment_make",
    "kill_all",
    "kill_lift",
    "member_digest",
    "member_tell",
    "phase_deadline",
    "release_kill",
    "replay_ask",
    "rollout_approve",
    "rollout_move",
    "rollout_replay_result",
    "rollout_start",
    "rollout_take_back",
    "rollout_undo",
    "stable_route",
    "stable_start",
]
