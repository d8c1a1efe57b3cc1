"""The bubblewrap sandbox.

An ordinary user's run is one bubblewrap in a fresh user namespace. As root that would leave the payload
host root behind a namespace wall (uid 0 outside, whatever uid inside), so root goes through two stages: a
privileged bubblewrap that only lays the sources out (it alone can reach below a private home), setpriv to
uid 65534 without any capability, and then the very same bubblewrap as for an ordinary user. Arguments
travel through a descriptor: a command line can be read in /proc, and an environment holds the throw-away
secrets of a sandboxed host.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from workbench.sandbox.cgroup import Cgroup, cgroup_create, cgroup_sweep
from workbench.sandbox.model import WORK, Limits, Mount, Result, Sandbox, SandboxError, SandboxUnavailable
from workbench.sandbox.seccomp import seccomp_program
from workbench.sandbox.supervise import Prepared, supervise
from workbench.sandbox.watch import UsageWatch
from workbench.sandbox.workdir import mountpoints_clean, mountpoints_missing, workdir_hand_over

NOBODY = 65534
MIB = 1024 * 1024
HOME = "/home/sandbox"
STAGE = "/stage"
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
OWN_ETC = Path(__file__).parent / "etc"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# Public configuration that programs of /usr look up; nothing of /etc that could hold a secret.
ETC = """
alternatives ca-certificates.conf chromium chromium.d fonts java-17-openjdk ld.so.cache ld.so.conf
ld.so.conf.d localtime mime.types pki/tls/certs protocols services ssl/certs ssl/openssl.cnf timezone
""".split()  # noqa: SIM905
NAMESPACES = f"""
--unshare-user --unshare-ipc --unshare-pid --unshare-net --unshare-uts --unshare-cgroup-try --disable-userns
--uid {NOBODY} --gid {NOBODY} --hostname sandbox --die-with-parent --new-session --cap-drop ALL
""".split()


def sandbox_open(engine: str = "bwrap") -> Sandbox:
    """The sandbox of this machine, tried out once. Raises SandboxUnavailable with the remedy; there is no
    fallback.
    """
    if engine != "bwrap":
        raise SandboxUnavailable(f"unknown sandbox engine {engine!r}: this build has 'bwrap'")
    for program, package in (("bwrap", "bubblewrap"), ("setpriv", "util-linux"), ("prlimit", "util-linux")):
        if shutil.which(program, path="/usr/local/bin:/usr/bin:/bin") is None:
            raise SandboxUnavailable(f"{program} is missing: apt-get install {package}")
    cgroup_sweep()
    sandbox = BwrapSandbox()
    sandbox.try_out()
    return sandbox


class BwrapSandbox:
    """See workbench.sandbox.model.Sandbox for the contract."""

    def __init__(self) -> None:
        self._seccomp = seccomp_program()

    def try_out(self) -> None:
        with tempfile.TemporaryDirectory(prefix="kriptik-sandbox-") as directory:
            try:
                result = self.run(["/usr/bin/true"], workdir=Path(directory), limits=Limits(wall_s=30))
            except SandboxError as failure:
                raise SandboxUnavailable(_remedy(str(failure))) from failure
        if result.exit_code != 0:
            raise SandboxUnavailable(_remedy(result.stderr.strip()))

    def run(
        self,
        argv: Sequence[str],
        *,
        workdir: Path,
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] = {},
        limits: Limits = Limits(),  # noqa: B008  frozen, so one shared default is safe
        heartbeat: Callable[[], None] | None = None,
    ) -> Result:
        """Raises SandboxError when the sandbox can't be built, ValueError for a command or mount that can't
        be.
        """
        if not argv:
            raise ValueError("no command given")
        workdir = workdir.resolve(strict=True)
        laid = _laid_out([Mount(workdir, WORK, writable=True), *mounts])
        missing = mountpoints_missing(workdir, [mount.target for mount in laid])
        if os.geteuid() == 0:
            for mount in laid:
                workdir_hand_over(mount, NOBODY)
        group = cgroup_create(limits)
        try:
            watch = UsageWatch(
                limits, workdir, memory=not group.holds_memory, processes=not group.holds_processes
            )
            with self._prepared(argv, laid, env, limits, group) as prepared:
                return supervise(prepared, limits, group, watch, heartbeat)
        finally:
            group.remove()
            mountpoints_clean(workdir, missing)

    @contextlib.contextmanager
    def _prepared(
        self,
        argv: Sequence[str],
        laid: Sequence[Mount],
        env: Mapping[str, str],
        limits: Limits,
        group: Cgroup,
    ) -> Iterator[Prepared]:
        with contextlib.ExitStack() as stack:
            info_read, info_write = os.pipe()
            stack.callback(os.close, info_read)
            seccomp = _descriptor(stack, self._seccomp)
            staged = os.geteuid() == 0
            inner_args = [*NAMESPACES, *_layout(laid, limits, staged), *_environment(env)]
            inner_args += ["--seccomp", str(seccomp), "--chdir", str(WORK)]
            if not staged:
                inner_args += ["--info-fd", str(info_write)]
            inner = _descriptor(stack, _nul_separated(inner_args))
            inherited = [seccomp, inner, info_write]
            command = ["bwrap", "--args", str(inner), "--", *_limited(argv, limits, group)]
            if staged:
                outer = _descriptor(stack, _nul_separated(_stage(laid, info_write)))
                inherited.append(outer)
                command = ["bwrap", "--args", str(outer), "--", *_dropped(), *command]
            yield Prepared(_entered(group, command), inherited, info_read, info_write)


def _laid_out(mounts: Sequence[Mount]) -> list[Mount]:
    """Check the sources and order the mounts from the outside in, each target once."""
    by_target: dict[Path, Mount] = {}
    for mount in mounts:
        if not mount.source.exists():
            raise SandboxError(f"mount source {mount.source} does not exist")
        by_target.setdefault(mount.target, mount)
    return sorted(by_target.values(), key=lambda mount: len(mount.target.parts))


def _layout(laid: Sequence[Mount], limits: Limits, staged: bool) -> Iterable[str]:
    """What the payload sees as its file system."""
    yield from _system()
    yield from _configuration()
    for file in ("passwd", "group", "hosts", "nsswitch.conf"):
        source = f"{STAGE}/etc" if staged else str(OWN_ETC)
        yield from ("--ro-bind", f"{source}/{file}", f"/etc/{file}")
    yield from ("--proc", "/proc", "--dev", "/dev")
    size = str(limits.tmp_mb * MIB)
    for scratch in ("/tmp", "/var/tmp", HOME, "/dev/shm"):
        yield from ("--perms", "1777", "--size", size, "--tmpfs", scratch)
    for number, mount in enumerate(laid):
        kind = "--bind" if mount.writable else "--ro-bind"
        yield from (kind, f"{STAGE}/{number}" if staged else str(mount.source), str(mount.target))
    yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def _system() -> Iterable[str]:
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


def _configuration() -> Iterable[str]:
    made: set[Path] = set()
    for path in (Path("/etc") / name for name in ETC):
        if path.exists():
            # Parents that bubblewrap makes by itself are private to the uid of this stage.
            for parent in reversed(path.parents[:-1]):
                if parent not in made:
                    made.add(parent)
                    yield from ("--dir", str(parent))
            yield from ("--ro-bind", str(path), str(path))


def _stage(laid: Sequence[Mount], info_write: int) -> Iterable[str]:
    """Root's first stage: the sources under names that uid 65534 can reach, and what the second stage runs
    on.
    """
    yield from ("--unshare-pid", "--die-with-parent", "--info-fd", str(info_write))
    yield from _system()
    # The host's /proc: a new one is covered in part, and then the kernel refuses the payload's own. Only
    # setpriv and bubblewrap run on this stage; the payload gets the /proc of its own namespace.
    yield from ("--dev-bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev", "--dir", "/tmp")
    yield from _configuration()
    yield from ("--dir", STAGE, "--ro-bind", str(OWN_ETC), f"{STAGE}/etc")
    for number, mount in enumerate(laid):
        yield from ("--bind" if mount.writable else "--ro-bind", str(mount.source), f"{STAGE}/{number}")


def _environment(env: Mapping[str, str]) -> Iterable[str]:
    defaults = {"PATH": DEFAULT_PATH, "HOME": HOME, "TMPDIR": "/tmp", "LANG": "C.UTF-8", "USER": "sandbox"}
    yield "--clearenv"
    for name, value in {**defaults, **env}.items():
        yield from ("--setenv", name, value)


def _limited(argv: Sequence[str], limits: Limits, group: Cgroup) -> list[str]:
    wanted = {
        "fsize": (resource.RLIMIT_FSIZE, limits.file_mb * MIB),
        "nofile": (resource.RLIMIT_NOFILE, limits.open_files),
        "core": (resource.RLIMIT_CORE, 0),
    }
    if not group.holds_processes:
        wanted["nproc"] = (resource.RLIMIT_NPROC, limits.processes)
    options = [f"--{name}={_at_most_ours(kind, value)}" for name, (kind, value) in wanted.items()]
    seconds = _at_most_ours(resource.RLIMIT_CPU, limits.cpu_s)
    # One second more for the hard limit: SIGXCPU tells why, where SIGKILL would not.
    options.append(f"--cpu={seconds}:{_at_most_ours(resource.RLIMIT_CPU, seconds + 1)}")
    return ["/usr/bin/prlimit", *options, "--", *argv]


def _at_most_ours(kind: int, value: int) -> int:
    """A process without privilege can't raise what we were given ourselves."""
    hard = resource.getrlimit(kind)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _dropped() -> list[str]:
    who = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *who, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]


def _entered(group: Cgroup, command: Sequence[str]) -> list[str]:
    """The command, begun inside its control group: joining later would let early children escape it."""
    if not group.directories:
        return list(command)
    files = [str(path) for path in group.entry_files]
    script = (
        'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1" || exit 125; shift; n=$((n-1)); done; exec "$@"'
    )
    return ["/bin/sh", "-c", script, "sandbox", str(len(files)), *files, *command]


def _nul_separated(arguments: Iterable[str]) -> bytes:
    parts = list(arguments)
    if any("\0" in part for part in parts):
        raise ValueError("an argument, path or environment value holds a NUL character")
    return b"".join(os.fsencode(part) + b"\0" for part in parts)


def _descriptor(stack: contextlib.ExitStack, content: bytes) -> int:
    descriptor = os.memfd_create("sandbox")
    stack.callback(os.close, descriptor)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _remedy(failure: str) -> str:
    return (
        f"bubblewrap can't build a sandbox here ({failure}). It needs user namespaces: as root set "
        "`sysctl user.max_user_namespaces=10000`, on Ubuntu also "
        "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, "
        "on older Debian `sysctl kernel.unprivileged_userns_clone=1`; inside Docker run the container with "
        "`--security-opt seccomp=unconfined --security-opt systempaths=unconfined`"
    )
