"""How the host's own processes are started: the accepted manifest and the host row as a ReleaseSpec."""

from pathlib import Path

from django.conf import settings

from flags.spec import ReleaseSpec
from healing.host_access import host_manifest
from incidents.models import Host


def release_spec(host: Host) -> ReleaseSpec:
    """Stable and candidates get the same, so that nothing but the code differs. Raises ManifestError."""
    manifest = host_manifest(host)
    ours = {
        "KRIPTIK_URL": settings.PUBLIC_URL,
        "KRIPTIK_HOST": host.slug,
        "KRIPTIK_KEY": host.public_key,
        "KRIPTIK_SECRET": host.secret,
        "SENTRY_DSN": host.dsn(settings.PUBLIC_URL),
    }
    return ReleaseSpec(
        start=manifest.host.start,
        setup=manifest.host.setup,
        health=manifest.host.health,
        env={**{name: str(value) for name, value in host.environment.items()}, **ours},
        data_dir=Path(host.data_dir) if host.data_dir else None,
        data_env=manifest.host.data_env,
    )
