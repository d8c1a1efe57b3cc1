"""What others may know of flags, releases and rollouts."""

from datetime import timedelta

from django.db.models import Q, QuerySet

from core import clock
from core.errors import NotFound
from flags.gateway.protocol import COOKIE
from flags.models import Assignment, Heartbeat, KillSwitch, Release, ReleaseKind, Rollout
from flags.phases import LIVE, ReleasePhase, RolloutPhase
from incidents.models import Host


def kill_switch_on(host: Host | None = None) -> bool:
    """Whether nothing new may start: anywhere, or on this host. One small query, asked at every step."""
    if KillSwitch.objects.filter(lifted_at__isnull=True).exists():
        return True
    return host is not None and Host.objects.filter(pk=host.pk, killed=True).exists()


def rollout_get(rollout_id: str) -> Rollout:
    """Raises NotFound."""
    rows = Rollout.objects.select_related("host", "release").defer("host__secret", "release__spec")
    rollout = rows.filter(pk=rollout_id).first()
    if rollout is None:
        raise NotFound(f"There is no rollout {rollout_id}.")
    return rollout


def rollout_of_commit(host_id: int, commit: str) -> Rollout | None:
    """The rollout of this commit that is not over."""
    rows = Rollout.objects.filter(host_id=host_id, release__commit=commit, finished_at__isnull=True)
    return rows.exclude(phase=RolloutPhase.ROLLED_BACK).first()


def rollouts_due() -> QuerySet[Rollout]:
    """What the tick looks at: not over, and nobody holds it."""
    now = clock.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return Rollout.objects.filter(free, finished_at__isnull=True, run_after__lte=now).order_by("created_at")


def rollout_ahead(rollout: Rollout) -> Rollout | None:
    """The rollout of the same host that this one waits for: one at a time, in order of creation."""
    rows = Rollout.objects.filter(host_id=rollout.host_id, finished_at__isnull=True).exclude(pk=rollout.pk)
    live = rows.filter(phase__in=[*LIVE, RolloutPhase.ROLLED_BACK]).first()
    return live or rows.filter(created_at__lt=rollout.created_at, pk__lt=rollout.pk).first()


def started_since(host_id: int, seconds: float) -> int:
    """Candidates of a host that were started in the last so many seconds: for the caps."""
    since = clock.now() - timedelta(seconds=seconds)
    rows = Release.objects.filter(host_id=host_id, kind=ReleaseKind.CANDIDATE, started_at__gte=since)
    return rows.count()


def release_get(release_id: str) -> Release:
    """Raises NotFound."""
    # Secrets are loaded where they are used: a kill must work even when they can't be read.
    rows = Release.objects.select_related("host").defer("host__secret", "spec")
    release = rows.filter(pk=release_id).first()
    if release is None:
        raise NotFound(f"There is no release {release_id}.")
    return release


def stable_of(host_id: int) -> Release | None:
    """The release that everyone without a candidate is on, when it runs."""
    rows = Release.objects.filter(host_id=host_id, kind=ReleaseKind.STABLE, phase=ReleasePhase.READY)
    rows = rows.filter(drain_until__isnull=True)
    return rows.order_by("-started_at").first()


def release_cookie(rollout_id: str, subject: str) -> dict[str, str] | None:
    """The cookie that leads this user to the candidate, as incidents.services.incident_tell takes it."""
    row = Assignment.objects.filter(rollout_id=rollout_id, subject=subject, ended_at__isnull=True).first()
    return None if row is None else {"cookie": COOKIE, "token": row.token}


def assignments_of(rollout: Rollout) -> QuerySet[Assignment]:
    return Assignment.objects.filter(rollout=rollout, ended_at__isnull=True).order_by("id")


def heartbeat_age_s(name: str) -> float | None:
    """Seconds since a part was last alive; None when it never was."""
    row = Heartbeat.objects.filter(name=name).first()
    return None if row is None else (clock.now() - row.at).total_seconds()


def serving_host_id() -> int | None:
    """The host behind the gateway: the one whose stable was started last."""
    rows = Release.objects.filter(kind=ReleaseKind.STABLE, started_at__isnull=False)
    return rows.order_by("-started_at").values_list("host_id", flat=True).first()
