"""The built SDK in a real Chromium, against a stand-in of the intake."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from .intake_standin import DIST, Intake

SDK = Path(__file__).resolve().parents[2] / "sdk"


def _newest_source() -> float:
    return max(path.stat().st_mtime for path in [*SDK.glob("src/**/*.ts"), *SDK.glob("tools/*.mjs")])


@pytest.fixture(scope="session")
def bundle() -> Path:
    """sdk/dist of the sources as they are now."""
    entry = DIST / "kriptik.js"
    if not entry.exists() or entry.stat().st_mtime < _newest_source():
        if not (SDK / "node_modules").exists():
            subprocess.run(["npm", "ci"], cwd=SDK, check=True, capture_output=True)
        subprocess.run(["npm", "run", "build"], cwd=SDK, check=True, capture_output=True)
    return entry


@pytest.fixture(scope="module")
def browser(bundle: Path) -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM", shutil.which("chromium"))
    # Per module: while Playwright's sync API lives, its thread has a running loop and async tests can't start
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def intake() -> Iterator[Intake]:
    standin = Intake()
    standin.start()
    yield standin
    standin.stop()
    assert standin.objections == [], "the real intake would not take these as they are"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(8000)
    yield context.new_page()
    context.close()
