"""The system calls that a sandboxed process can't make, as a BPF program for bwrap --seccomp.

A deny list and not an allow list: Chromium, Node, CPython and whatever a host is built with have to run,
and the first layer is that the process owns no capability and no namespace. The list closes the kernel's
large or unnamespaced doors: mounts, namespaces, tracing, keyrings, BPF, io_uring, and socket families other
than unix and IP (vsock reaches the hypervisor and is not held by the network namespace).
"""

from __future__ import annotations

import errno
import socket
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from workbench.sandbox.model import SandboxUnavailable

# One string, since a list of one name a line would fill two screens.
DENIED = """
acct add_key adjtimex bpf chroot clock_adjtime clock_settime create_module delete_module
fanotify_init finit_module fsconfig fsmount fsopen fspick get_kernel_syms init_module io_uring_enter
io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie
mbind migrate_pages mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl
open_by_handle_at open_tree perf_event_open personality pidfd_getfd pivot_root process_madvise
process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot request_key set_mempolicy
setdomainname sethostname setns settimeofday stime swapoff swapon syslog umount umount2 unshare
uselib userfaultfd vhangup
""".split()  # noqa: SIM905

ALLOWED_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
HIGHEST_FAMILY = 64  # the kernel's AF_MAX is 46; a few to come are refused as well

CLONE_NEW = 0x7E020000  # NEWNS NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # push keystrokes into a terminal


@lru_cache(maxsize=1)
def seccomp_program() -> bytes:
    """The compiled filter. Raises SandboxUnavailable when libseccomp is not there."""
    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError) as failure:
        raise SandboxUnavailable(
            f"the system-call filter can't be built ({failure}): "
            "apt-get install libseccomp2, pip install pyseccomp"
        ) from failure
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in DENIED:
        if _known(pyseccomp, name):
            rules.add_rule(refuse, name)
    # clone3 hides its flags behind a pointer that a filter can't read; ENOSYS makes libc use clone.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for call, argument in _refused_arguments(pyseccomp):
        rules.add_rule(refuse, call, argument)
    with tempfile.TemporaryFile() as compiled:
        rules.export_bpf(compiled)
        compiled.seek(0)
        return compiled.read()


def _refused_arguments(pyseccomp: Any) -> Iterator[tuple[str, object]]:
    """Calls that are fine but for some values of one argument."""
    for flag in (1 << bit for bit in range(32) if CLONE_NEW & (1 << bit)):
        yield "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag)
    for call in ("socket", "socketpair"):
        for family in set(range(HIGHEST_FAMILY)) - set(ALLOWED_FAMILIES):
            yield call, pyseccomp.Arg(0, pyseccomp.EQ, family)
        yield call, pyseccomp.Arg(0, pyseccomp.GE, HIGHEST_FAMILY)
    for request in (TIOCSTI, TIOCLINUX):
        yield "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, request)


def _known(pyseccomp: Any, name: str) -> bool:
    """Whether this libseccomp and architecture have the call (stime, uselib ... are not everywhere)."""
    number: int = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    return number >= 0
