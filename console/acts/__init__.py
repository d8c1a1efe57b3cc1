"""What the owner can do. Importing this package registers every act."""

from console.acts import healing, incidents, research, rollouts
from console.acts.base import Act, Ask, Asked, Outcome, act_get, act_names

__all__ = [
    "Act",
    "Ask",
    "Asked",
    "Outcome",
    "act_get",
    "act_names",
    "healing",
    "incidents",
    "research",
    "rollouts",
]
