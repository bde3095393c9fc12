"""JupyterLab on copies of the notebooks, and a browser to look at it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "artefacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 60_000  # ms


@pytest.fixture(scope="session")
def executable() -> str:
    """Find a browser; without one the browser tests are skipped, or fail where one is required."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("TALKING_PROCESSES_BROWSER") == "required":
        pytest.fail("no browser: install chromium, or unset TALKING_PROCESSES_BROWSER")
    if found is None:
        pytest.skip("no browser found: install chromium or Chrome to run the browser tests")
    return found


@pytest.fixture(scope="session")
def browser(executable: str) -> Iterator[Browser]:
    """Start the browser once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve copies of the notebooks, because JupyterLab saves what it opens; yield the address with its token."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port=0",
         f"--ServerApp.root_dir={folder}", f"--LabApp.app_settings_dir={_settings(folder)}"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
    )  # fmt: skip
    try:
        yield _address(server)
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _settings(folder: Path) -> Path:
    settings = folder / "settings"
    settings.mkdir()
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "overrides.json").write_text(json.dumps(quiet))
    return settings


def _address(server: subprocess.Popen) -> str:
    for line in server.stderr:
        if match := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/lab\?token=\w+", line):
            return match.group()
    raise RuntimeError("JupyterLab ended before it was up")


@pytest.fixture
def open_lesson(browser: Browser, lab: str) -> Iterator:
    """Open a lesson in a fresh page, run all its cells, and wait until the kernel is idle."""
    pages: list[Page] = []

    def open_and_run(name: str) -> Page:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.goto(lab.replace("/lab?", f"/lab/tree/notebooks/{name}.ipynb?") + "&reset")
        # the indicator in the toolbar says idle even before there is a kernel
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator("[data-command='runmenu:run-all']").click()
        wait_until_done(page)
        return page

    yield open_and_run
    for page in pages:
        page.close()


def wait_until_done(page: Page) -> None:
    """Wait until every cell has run."""
    page.wait_for_function(
        """() => document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle'
                 && [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
                    .every(prompt => /\\d/.test(prompt.textContent))""",
        timeout=PATIENCE,
    )


def keep_picture(page: Page, name: str) -> None:
    """Keep a screenshot, for people to look at."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")
