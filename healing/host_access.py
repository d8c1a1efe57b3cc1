"""The doors to one host: its signed endpoints and its repository."""

from pathlib import Path

from healing.errors import StepPostponed
from healing.manifest import Manifest, manifest_parse
from hostkit.client import HostClient
from hostkit.errors import HostAnswerError
from incidents.models import Host
from workbench.git_plumbing import GitError, resolve, tree_entries


def host_client(host: Host) -> HostClient:
    return HostClient(host.base_url, host.secret)


def host_manifest(host: Host) -> Manifest:
    """The accepted manifest; raises ManifestError."""
    return manifest_parse(host.manifest_toml)


def host_user(host: Host, subject: str) -> str:
    """The user id at the host in a verified subject, "" in any other."""
    prefix = f"host:{host.pk}:user:"
    return subject.removeprefix(prefix) if subject.startswith(prefix) else ""


def service_addresses(host: Host, manifest: Manifest) -> dict[str, str]:
    """Service name -> the base URL that the host's processes are given."""
    given = {name: str(host.environment.get(service.env, "")) for name, service in manifest.services.items()}
    return {name: url for name, url in given.items() if url}


def git_dir(host: Host) -> Path:
    """The trusted repository; raises StepPostponed when it isn't there."""
    path = Path(host.git_dir) if host.git_dir else None
    if path is None or not path.is_dir():
        raise StepPostponed(
            f"The repository of {host.slug} is not at {host.git_dir or '(git_dir is not set)'}."
        )
    return path


def branch_head(host: Host) -> str:
    """The commit that the host's branch points to."""
    try:
        return resolve(git_dir(host), f"refs/heads/{host.branch}")
    except GitError as error:
        raise StepPostponed(f"The branch {host.branch} of {host.slug} can't be read: {error}") from error


def tree_paths(host: Host, commit: str) -> list[str]:
    """The paths of a commit, by plumbing: no work tree, no hooks, no filters."""
    return [entry.path for entry in tree_entries(git_dir(host), commit)]


def refused_for_good(error: HostAnswerError) -> bool:
    """Whether asking the host again can't help: it understood and said no."""
    return 400 <= error.status < 500 and error.status != 429
