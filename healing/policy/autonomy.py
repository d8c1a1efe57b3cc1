"""How much a host lets us do, and how often: switches, autonomy and caps."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from core import clock
from flags.selectors import kill_switch_on
from healing.models import HealRun
from healing.phases import Origin
from incidents.models import Autonomy, Host

_RANK = {Autonomy.OBSERVE: 0, Autonomy.PROPOSE: 1, Autonomy.AUTO: 2}


@dataclass(frozen=True)
class Permission:
    allowed: bool
    reason: str


def stopped(host: Host) -> bool:
    """Whether a kill switch is on now, the host's own or the one for everything; asks the database."""
    return kill_switch_on(host)


def may_remedy(host: Host) -> Permission:
    """Whether a remedy (runbook or code) may be worked on at all."""
    if stopped(host):
        return Permission(False, "the kill switch is on")
    if _rank(host) < _RANK[Autonomy.PROPOSE]:
        return Permission(False, "the host is set to observe: diagnose only")
    return Permission(True, f"autonomy is {host.autonomy}")


def may_act_alone(host: Host) -> Permission:
    """Whether a remedy may touch production without the owner's word."""
    remedy = may_remedy(host)
    if not remedy.allowed:
        return remedy
    if _rank(host) < _RANK[Autonomy.AUTO]:
        return Permission(False, "the host is set to propose: the owner approves each remedy")
    return Permission(True, "the host is set to auto")


def may_start_run(host: Host, *, vouched: bool) -> Permission:
    """Whether one more heal run may begin: the kill switch and the hourly and daily caps.

    `vouched`: a verified user's run or the owner's own. Anonymous runs are counted apart, under caps of the
    same size: anybody can send an anonymous report, and must not use up the runs of verified users with it.
    """
    if stopped(host):
        return Permission(False, "the kill switch is on")
    trusted = Q(verified=True) | ~Q(origin=Origin.INCIDENT)
    rows = HealRun.objects.filter(trusted if vouched else ~trusted, host=host)
    word = "" if vouched else "anonymous "
    for span, cap, unit in (
        (timedelta(hours=1), settings.HEALS_PER_HOUR, "hour"),
        (timedelta(days=1), settings.HEALS_PER_DAY, "day"),
    ):
        begun = rows.filter(created_at__gt=clock.now() - span).count()
        if begun >= cap:
            return Permission(False, f"{begun} {word}heal runs in the last {unit}; the cap is {cap}")
    return Permission(True, "within the caps")


def _rank(host: Host) -> int:
    # An unknown word ranks below observe: nothing may happen that nobody allowed.
    return _RANK.get(Autonomy(host.autonomy), -1) if host.autonomy in Autonomy.values else -1
