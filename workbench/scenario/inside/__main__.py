"""`python -m workbench.scenario.inside DIRECTORY`: plays what DIRECTORY/spec.json says, writes
DIRECTORY/out/.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shlex
import sys
from pathlib import Path

from workbench.scenario.inside.session import run_once
from workbench.scenario.inside.world import plain_environment
from workbench.scenario.seals import fingerprint, sealed
from workbench.scenario.wire import (
    OUT,
    SPEC_FILE,
    STATE,
    TREE,
    BenchSpec,
    RunRecord,
    record_name,
    screenshot_name,
)

_PR_SET_DUMPABLE = 4  # linux/prctl.h
SETUP_S = 120.0
CHROMIUM_FLAGS = (
    "--no-sandbox",  # the sandbox around us allows no further namespaces
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


async def bench(spec: BenchSpec, root: Path) -> None:
    from playwright.async_api import async_playwright

    trouble = await _set_up(spec, root)
    if trouble:
        for index in range(spec.runs):
            _write(root, index, RunRecord(verdict="error", reason=trouble, seconds=0), None, spec.seal)
        return
    async with async_playwright() as playwright:
        # Started beside the first host: whoever needs it first waits for it.
        browser = asyncio.ensure_future(
            playwright.chromium.launch(executable_path=spec.chromium, args=list(CHROMIUM_FLAGS))
        )
        places = asyncio.Semaphore(spec.parallel)

        async def one(index: int) -> None:
            async with places:
                _write(root, index, *await run_once(spec, root, index, browser), spec.seal)

        await asyncio.gather(*(one(index) for index in range(spec.runs)))
        await (await browser).close()


async def _set_up(spec: BenchSpec, root: Path) -> str | None:
    """The host's one-time preparation of its tree; the reason when it failed."""
    argv = shlex.split(spec.host.setup)
    if not argv:
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=root / TREE,
            env=plain_environment(root / STATE),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(SETUP_S):
            output, _ = await process.communicate()
    except OSError as failure:
        return f"the host's setup can't be started: {failure.strerror}"
    except TimeoutError:
        process.kill()
        return f"the host's setup took longer than {SETUP_S:.0f} s"
    if process.returncode:
        last = output.decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
        return f"the host's setup ended with code {process.returncode}: {last[0][:300]}"
    return None


def _write(root: Path, index: int, record: RunRecord, picture: bytes | None, key: str) -> None:
    """The record last: where there is one, the run is over and its picture complete."""
    if picture is not None:
        (root / OUT / screenshot_name(index)).write_bytes(picture)
        record = record.model_copy(update={"picture": fingerprint(picture)})
    partial = root / OUT / f"{record_name(index)}.part"
    partial.write_bytes(sealed(key, index, record.model_dump_json().encode()))
    partial.rename(root / OUT / record_name(index))


def _hide_key(spec_file: Path) -> None:
    """Before any code of the host runs: nobody beside us reads the key, in its file or in our memory."""
    spec_file.unlink()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the runner can't protect its memory")


def main() -> int:
    root = Path(sys.argv[1]).resolve()
    os.umask(0o022)
    spec = BenchSpec.model_validate_json((root / SPEC_FILE).read_bytes())
    _hide_key(root / SPEC_FILE)
    asyncio.run(bench(spec, root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
