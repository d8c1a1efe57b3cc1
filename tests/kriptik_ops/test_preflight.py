"""Everything that can keep the product from starting is one clear line."""

import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from core.errors import Permanent
from kriptik_ops import preflight

ROOT = Path(__file__).resolve().parents[2]


def test_it_names_the_port_in_use_and_the_variable_that_changes_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (line,) = preflight.port_problems({"web": ("KRIPTIK_PORT", port)})
    assert f"Port {port} (web) is in use" in line and "KRIPTIK_PORT" in line
    assert preflight.port_problems({"web": ("KRIPTIK_PORT", port)}) == []


def test_it_says_when_the_disk_is_full(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 3 * 2**20))
    (line,) = preflight.disk_problems(tmp_path)
    assert line.startswith("Only 3 MiB are free")


def test_it_says_when_var_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    (line,) = preflight.disk_problems(tmp_path / "file" / "var")
    assert "can't be written" in line and "KRIPTIK_VAR" in line


@pytest.mark.parametrize(
    "part, command", [("chromium", "apt-get install chromium"), ("bwrap", "apt-get install bubblewrap")]
)
def test_it_names_the_command_that_installs_a_missing_part(monkeypatch, part, command):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == part else which(name))
    assert any(command in line for line in preflight.part_problems())


def test_a_second_start_is_refused_and_a_dead_one_leaves_no_lock(tmp_path):
    held = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib; from kriptik_ops.preflight import only_one\n"
            "with only_one(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert held.stdout.readline() == "held\n"
    assert preflight.is_running(tmp_path)
    refused = pytest.raises(Permanent, match=rf"already runs from .* \(process {held.pid}\)")
    with refused, preflight.only_one(tmp_path):
        pass
    held.kill()
    held.wait()
    with preflight.only_one(tmp_path):
        pass


def test_the_system_script_names_the_command_when_it_may_not_install(tmp_path):
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    for tool in ("bash", "env"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    done = subprocess.run(
        [shutil.which("bash"), "bin/system-parts"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "sudo apt-get install chromium fonts-dejavu-core bubblewrap" in done.stderr
