"""What the layers above may listen to. Sent with send_robust, after the commit."""

from django.dispatch import Signal

rollout_moved = Signal()  # rollout_id: str, phase: str
replay_wanted = Signal()  # rollout_id: str; answer with flags.services.rollout_replay_result
