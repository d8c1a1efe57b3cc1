"""`make demo-reset` forgets a demo, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

from kriptik_ops.preflight import only_one

ROOT = Path(__file__).resolve().parents[2]


def reset(var):
    env = {**os.environ, "KRIPTIK_VAR": str(var)}
    return subprocess.run(
        [sys.executable, "bin/demo-reset"], cwd=ROOT, env=env, capture_output=True, text=True
    )


def test_it_forgets_a_demo_that_has_ended(tmp_path):
    with only_one(tmp_path / "var"):
        (tmp_path / "var" / "demo").mkdir()
    assert reset(tmp_path / "var").returncode == 0
    assert not (tmp_path / "var").exists()
    assert "nothing to forget" in reset(tmp_path / "var").stdout


def test_it_leaves_a_running_demo_alone(tmp_path):
    (tmp_path / "demo").mkdir()
    with only_one(tmp_path):
        done = reset(tmp_path)
    assert done.returncode == 1
    assert "stop it first" in done.stdout
    assert (tmp_path / "up.lock").exists()


def test_it_removes_no_folder_that_is_not_a_demos(tmp_path):
    with only_one(tmp_path):  # a real host's installation has a lock, and no demo
        (tmp_path / "letters.txt").write_text("dear")
    done = reset(tmp_path)
    assert done.returncode == 1
    assert "not a demo's folder" in done.stdout
    assert (tmp_path / "letters.txt").read_text() == "dear"
