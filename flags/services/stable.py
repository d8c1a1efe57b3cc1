"""The release that everyone is on."""

import logging

from flags import limits
from flags.gateway import GatewayDown, gateway_open
from flags.models import Release, ReleaseKind
from flags.phases import ReleasePhase
from flags.releases import ReleaseFailed, release_build, release_start, release_stop, release_wait
from flags.spec import ReleaseSpec
from incidents.models import Host

logger = logging.getLogger(__name__)


def stable_start(host: Host, spec: ReleaseSpec, commit: str) -> Release:
    """Runs this commit as the host's stable: adopts the process that runs it already, else starts one.

    Returns when it answers its health check. The gateway is told when it is there, and remembers the port
    when it is not; the tick repeats it. Raises ReleaseFailed with the process's last words.
    """
    rows = Release.objects.filter(host=host, kind=ReleaseKind.STABLE, commit=commit, drain_until__isnull=True)
    same = (known for known in rows.order_by("-created_at") if known.launch == spec)
    release = next(same, None) or release_build(
        host=host, kind=ReleaseKind.STABLE, commit=commit, tree_hash="", spec=spec
    )
    release_start(release.pk)
    release = release_wait(release.pk, limits.START_S)
    if release.phase != ReleasePhase.READY:
        reason = release.transitions.order_by("-at", "-id").values_list("reason", flat=True).first()
        release_stop(release.pk, "it did not become healthy")
        raise ReleaseFailed(f"{host.name} does not start: {reason}. Its log is {release.pk}.log.")
    stable_route(release)
    for old in Release.objects.filter(host=host, kind=ReleaseKind.STABLE).exclude(pk=release.pk):
        if old.phase in {ReleasePhase.STARTING, ReleasePhase.READY} and old.drain_until is None:
            release_stop(old.pk, f"{release.pk} is stable now")
    return release


def stable_route(release: Release) -> None:
    """Points the gateway's stable at the release; one that is not there yet finds the port when it starts."""
    assert release.port is not None, "a release that is ready has a port"
    try:
        gateway_open().stable_set(release.port)
    except GatewayDown as error:
        logger.info("the gateway will be told of stable later: %s", error)
