"""JupyterLab on copies of the notebooks, and a browser to look at it."""

import base64
import json
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.lab_server import lab_server
from tests.missing import skip_without

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "artefacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 60_000  # ms
RUNS_WITHIN = 180_000  # ms for all cells of a lesson, on a busy machine
expect.set_options(timeout=20_000)  # ms until a click shows, on a busy machine


@pytest.fixture(scope="session")
def executable() -> str:
    """Find a browser; without one the browser tests are skipped, or fail where one is required."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or skip_without("browser", "install chromium or Chrome to run the browser tests")


@pytest.fixture(scope="session")
def browser(executable: str) -> Iterator[Browser]:
    """Start the browser once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the served copies, in which the learner's workbook lies too."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab(lab_folder: Path) -> Iterator[str]:
    """Serve copies of the notebooks, because JupyterLab saves what it opens; yield the address with its token."""
    shutil.copytree(ROOT / "notebooks", lab_folder / "notebooks")
    command = ["-m", "jupyterlab", f"--ServerApp.root_dir={lab_folder}"]
    with ExitStack() as stack:
        # for this server alone: others begin while it runs, and have workbooks of their own
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TALKING_PROCESSES_WORKBOOK", str(lab_folder / "workbook"))
            address = stack.enter_context(lab_server(command, cwd=lab_folder, own=lab_folder))
        yield address


@contextmanager
def _notebooks(browser: Browser, lab: str) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def open_page(name: str, height: int = 1000) -> Page:
        page = browser.new_page(viewport={"width": 1280, "height": height})
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.goto(lab.replace("/lab?", f"/lab/tree/notebooks/{name}.ipynb?") + "&reset")
        # the indicator in the toolbar says idle even before there is a kernel
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def open_notebook(browser: Browser, lab: str) -> Iterator[Callable[..., Page]]:
    """Open a notebook of the served copies in a fresh page, and wait for its kernel."""
    with _notebooks(browser, lab) as open_page:
        yield open_page


@pytest.fixture
def open_lesson(open_notebook: Callable[..., Page]) -> Callable[..., Page]:
    """Open a notebook in a fresh page, run all its cells, and wait until the kernel is idle."""
    return _that_runs(open_notebook)


@pytest.fixture(scope="module")
def open_shared_lesson(browser: Browser, lab: str) -> Iterator[Callable[..., Page]]:
    """Do the same for pages that the tests of a file share."""
    with _notebooks(browser, lab) as open_page:
        yield _that_runs(open_page)


def _that_runs(open_notebook: Callable[..., Page]) -> Callable[..., Page]:
    def open_and_run(name: str, height: int = 1000) -> Page:
        page = open_notebook(name, height)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator("[data-command='runmenu:run-all']").click()
        wait_until_done(page)
        return page

    return open_and_run


@pytest.fixture
def offline(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open HTML as a file, with no network, and collect the errors of the page."""
    pages = []

    def open_page(html: str, folder: Path, **options: str) -> Page:
        page = browser.new_page(viewport={"width": 1100, "height": 1000}, **options)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.route(re.compile("^https?:"), lambda route: route.abort())
        file = folder / "page.html"
        file.write_text(html, encoding="utf-8")
        page.goto(file.as_uri(), wait_until="domcontentloaded")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def write_notebook(path: Path, cells: list[str]) -> Path:
    """Write a notebook of code cells."""
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    code = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), path)
    return path


def call_lab(lab: str, method: str, path: str, content: object = None) -> bytes:
    """Call the server's own interface; return its answer."""
    address = urlsplit(lab)
    request = urllib.request.Request(
        f"http://{address.netloc}/{path}",
        data=None if content is None else json.dumps(content).encode(),
        headers={"Authorization": f"token {parse_qs(address.query)['token'][0]}", "Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def put_into_lab(lab: str, path: Path) -> None:
    """Add a notebook to the served copies."""
    content = {"type": "file", "format": "base64", "content": base64.b64encode(path.read_bytes()).decode()}
    call_lab(lab, "PUT", f"api/contents/notebooks/{path.name}", content)


def wait_until_done(page: Page) -> None:
    """Wait until every cell has run; a folded one shows no number."""
    page.wait_for_function(
        """() => document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle'
                 && [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
                    .every(prompt => /\\d|^\\s*$/.test(prompt.textContent))""",
        timeout=RUNS_WITHIN,
    )


def barriers(page: Page) -> list[str]:
    """Say what axe-core finds in the outputs of a page that keeps somebody from reading or using them."""
    found = Axe().run(page, context=".jp-OutputArea-output").response["violations"]
    return [f"{each['id']}: {node['html']}" for each in found for node in each["nodes"]]


def keep_picture(page: Page, name: str) -> None:
    """Keep a screenshot, for people to look at."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png")
