"""The doors to one host: its signed endpoints and its repository."""

import subprocess
from pathlib import Path

from healing.errors import StepPostponed
from healing.manifest import Manifest, manifest_parse
from hostkit.client import HostClient
from hostkit.errors import HostAnswerError
from incidents.models import Host

GIT_TIMEOUT_S = 30


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


def tree_paths(host: Host, commit: str) -> list[str]:
    """The paths of a commit, by plumbing in the trusted GIT_DIR: no work tree, no hooks, no filters."""
    listed = _git(host, "ls-tree", "-r", "-z", "--name-only", commit)
    return [p.decode("utf-8", "replace") for p in listed.split(b"\0") if p]


def file_read(host: Host, commit: str, path: str) -> bytes:
    """One file of a commit."""
    return _git(host, "cat-file", "blob", f"{commit}:{path}")


def branch_head(host: Host) -> str:
    """The commit that the host's branch points to."""
    return _git(host, "rev-parse", "--verify", "--end-of-options", f"refs/heads/{host.branch}^{{commit}}").decode().strip()


def refused_for_good(error: HostAnswerError) -> bool:
    """Whether asking the host again can't help: it understood and said no."""
    return 400 <= error.status < 500 and error.status != 429


def _git(host: Host, *args: str) -> bytes:
    if not host.git_dir or not Path(host.git_dir).is_dir():
        raise StepPostponed(f"The repository of {host.slug} is not at {host.git_dir or '(no git_dir set)'}.")
    done = subprocess.run(
        ["git", f"--git-dir={host.git_dir}", *args],
        capture_output=True,
        timeout=GIT_TIMEOUT_S,
        check=False,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"},
    )
    if done.returncode != 0:
        raise StepPostponed(f"git {args[0]} failed for {host.slug}: {done.stderr.decode('utf-8', 'replace')[:300]}")
    return done.stdout
