"""The emergency kill switch, as the console sees it."""

from flags.models import KillSwitch


def kill_switch_now() -> KillSwitch | None:
    """The switch that is thrown, or None while everything may run."""
    return KillSwitch.objects.filter(lifted_at=None).first()
