"""The test command inside one interpreter."""

# pathlib is slower, and this runs once an edit.
# ruff: noqa: PTH100, PTH120
from __future__ import annotations

import contextlib
import importlib
import os
import resource
import runpy
import sys
from typing import Any

Job = dict[str, Any]


def preload(job: Job) -> None:
    """Load what every run needs and no edit can change."""
    for name in job["preload"]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def prepare(job: Job) -> None:
    """Be where the command would be, and see the modules that it would see."""
    os.chdir(job["tree"])
    script = os.path.dirname(os.path.abspath(job["target"]))
    place = script if job["kind"] == "script" else job["tree"]
    sys.path[:] = [place, *[entry for entry in sys.path if entry not in ("", job["scratch"])]]


def limit_memory(job: Job) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))


def pytest_run(job: Job, plugin: object, extra: list[str]) -> int:
    if job["light"]:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    return int(pytest.main([*job["args"], "-p", "no:cacheprovider", *extra], plugins=[plugin]))


def python_run(job: Job) -> int:
    """What `python ...` does with a module, a script or a piece of code; returns the exit code."""
    kind, target = job["kind"], job["target"]
    sys.argv = [target, *job["args"]]
    try:
        if kind == "module":
            runpy.run_module(target, run_name="__main__", alter_sys=True)
        elif kind == "code":
            sys.argv[0] = "-c"
            exec(compile(target, "<string>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_path(target, run_name="__main__")
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return ending.code or 0
        return 1
    return 0


def shell_run(job: Job) -> int:
    os.chdir(job["tree"])
    os.execvp("sh", ["sh", "-c", job["target"]])
