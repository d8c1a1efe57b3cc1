"""What the sandbox gives and how it ends; what it must hold back is in test_escape_probes.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from workbench.sandbox import (
    Limits,
    Mount,
    Sandbox,
    SandboxError,
    SandboxUnavailable,
    bwrap,
    python_env,
    python_mounts,
    sandbox_open,
    toolchain_mounts,
)

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return sandbox_open()


def test_output_and_exit_code_come_back(sandbox: Sandbox, tmp_path: Path) -> None:
    result = sandbox.run(["sh", "-c", "pwd; echo wrong >&2; exit 7"], workdir=tmp_path)
    assert (result.exit_code, result.stdout, result.stderr) == (7, "/work\n", "wrong\n")
    assert not result.timed_out


def test_files_of_the_work_directory_are_read_and_written(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("in")
    sandbox.run(["sh", "-c", "cat in.txt > out.txt"], workdir=tmp_path)
    assert (tmp_path / "out.txt").read_text() == "in"


def test_nothing_of_our_environment_comes_in(sandbox: Sandbox, tmp_path: Path) -> None:
    os.environ["SECRET_OF_OURS"] = "x"
    result = sandbox.run(["env"], workdir=tmp_path, env={"GIVEN": "yes"})
    del os.environ["SECRET_OF_OURS"]
    assert "GIVEN=yes" in result.stdout
    assert "SECRET_OF_OURS" not in result.stdout


def test_a_mount_is_read_only_unless_it_says_otherwise(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("work", "read", "write"):
        (tmp_path / name).mkdir(mode=0o755)
    mounts = [Mount(tmp_path / "read", Path("/in")), Mount(tmp_path / "write", Path("/out"), writable=True)]
    result = sandbox.run(
        ["sh", "-c", "touch /out/x && touch /in/x"], workdir=tmp_path / "work", mounts=mounts
    )
    assert result.exit_code != 0
    assert (tmp_path / "write/x").exists()
    assert not (tmp_path / "read/x").exists()


def test_a_long_run_is_ended_and_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    result = sandbox.run(["sh", "-c", "echo begun; sleep 60"], workdir=tmp_path, limits=Limits(wall_s=1))
    assert (result.exit_code, result.stdout, result.timed_out) == (None, "begun\n", True)
    assert result.stderr == "[sandbox] time limit of 1 s reached\n"


def test_long_output_keeps_its_head_and_its_tail(sandbox: Sandbox, tmp_path: Path) -> None:
    limits = Limits(output_bytes=1000)
    result = sandbox.run(["sh", "-c", "echo HEAD; seq 100000; echo TAIL"], workdir=tmp_path, limits=limits)
    assert result.stdout.startswith("HEAD\n")
    assert result.stdout.endswith("TAIL\n")
    assert len(result.stdout) < 1100
    assert "bytes of output left out" in result.stdout


def test_the_heartbeat_is_heard_and_its_error_ends_the_run(sandbox: Sandbox, tmp_path: Path) -> None:
    class LeaseLost(Exception):
        pass

    def lost() -> None:
        raise LeaseLost

    with pytest.raises(LeaseLost):
        sandbox.run(["sleep", "60"], workdir=tmp_path, heartbeat=lost, limits=Limits(wall_s=30))


def test_our_own_python_and_its_packages_work_inside(sandbox: Sandbox, tmp_path: Path) -> None:
    program = "import sys, libcst, pytest; print(sys.prefix)"
    result = sandbox.run(
        ["python", "-c", program], workdir=tmp_path, mounts=python_mounts(), env=python_env()
    )
    assert (result.exit_code, result.stdout.strip()) == (0, sys.prefix), result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_chromium_works_inside(sandbox: Sandbox, tmp_path: Path) -> None:
    page = "data:text/html,<script>document.write(6*7)</script>"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page]
    assert "42</body>" in sandbox.run(command, workdir=tmp_path).stdout


def test_a_command_that_is_not_there_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    result = sandbox.run(["no-such-program"], workdir=tmp_path)
    assert result.exit_code not in (0, None)
    assert "no-such-program" in result.stderr


def test_bad_input_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no command"):
        sandbox.run([], workdir=tmp_path)
    with pytest.raises(SandboxError, match="does not exist"):
        sandbox.run(["true"], workdir=tmp_path, mounts=[Mount(tmp_path / "missing", Path("/in"))])
    with pytest.raises(ValueError, match="absolute"):
        Mount(Path("relative"), Path("/in"))
    with pytest.raises(ValueError, match="above 0"):
        Limits(memory_mb=0)
    with pytest.raises(ValueError, match="NUL"):
        sandbox.run(["true"], workdir=tmp_path, env={"A": "b\0c"})


def test_a_machine_without_bubblewrap_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bwrap.shutil, "which", lambda name, path=None: None)
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewrap"):
        sandbox_open()


def test_a_machine_without_namespaces_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bwrap, "NAMESPACES", [*bwrap.NAMESPACES, "--userns", "99"])
    with pytest.raises(SandboxUnavailable, match="user namespaces"):
        sandbox_open()


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="'docker'"):
        sandbox_open("docker")


def test_a_home_directory_is_never_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / ".local/bin").mkdir(parents=True)
    (home / "node/bin").mkdir(parents=True)
    (home / "node/lib/node_modules").mkdir(parents=True)
    (home / "node/secrets").mkdir()
    monkeypatch.setenv("HOME", str(home))
    path = os.pathsep.join(str(home / part) for part in ("", "bin", ".local/bin", "node/bin", "missing"))
    shown = {str(mount.target.relative_to(home)) for mount in toolchain_mounts(path)}
    assert shown == {"bin", ".local/bin", "node/bin", "node/lib"}


def test_a_pyenv_shim_is_replaced_by_the_chosen_version(tmp_path: Path) -> None:
    for part in ("shims", "versions/3.11.7/bin", "versions/3.11.7/lib/python3.11", "versions/3.12.1/bin"):
        (tmp_path / part).mkdir(parents=True)
    mounts = toolchain_mounts(str(tmp_path / "shims"), environment={"PYENV_VERSION": "3.11.7"})
    assert Mount(tmp_path / "versions/3.11.7/bin", tmp_path / "shims") in mounts
    assert not any("3.12.1" in str(mount.source) for mount in mounts)
