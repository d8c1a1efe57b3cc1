"""The hosts' own processes: stable of each host starts with us and ends with us."""

from collections.abc import Callable

from core.errors import KriptikError
from flags.releases import stop_all as releases_stop
from flags.services import stable_start
from healing.host_access import branch_head
from healing.release_spec import release_spec
from incidents.models import Host


def start_all(say: Callable[[str], None]) -> None:
    """Starts stable of the host whose repository is here; says so when it does not start."""
    hosts = list(Host.objects.exclude(git_dir="").exclude(manifest_toml="").order_by("pk"))
    for more in hosts[1:]:
        # A second one's stable would take the first one's place at the gateway.
        say(f"{more.name} is not started: one installation runs one host, {hosts[0].name}.")
    for host in hosts[:1]:
        try:
            stable_start(host, release_spec(host), branch_head(host))
        except KriptikError as error:
            say(f"{host.name} is not running: {error.message}")


def stop_all() -> None:
    releases_stop("everything is being stopped")
