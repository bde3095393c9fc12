"""What `make lab` opens: a copy of the first lesson in which no answer is in sight, and which runs."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, keep_picture, wait_until_done
from tests.lab_server import lab_server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path):
    """The helpers and the lessons in a folder of their own, so that nobody's copies are touched."""
    for part in ("helpers", "notebooks"):
        shutil.copytree(ROOT / part, tmp_path / "clone" / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "clone"


def test_a_learner_begins_with_a_copy_without_answers_and_goes_on_to_other_copies(browser, clone, tmp_path):
    first = min(path.name for path in (clone / "notebooks").glob("*.ipynb"))
    with lab_server(["-m", "helpers", "lab"], cwd=clone, own=tmp_path) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.goto(address + "&reset")
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
        expect(page).to_have_url(re.compile(f"/lab/tree/workbook/{first}"))
        outputs, errors = page.locator(".jp-OutputArea-output"), page.locator("[data-mime-type$='jupyter.error']")
        assert page.locator(".jp-CodeCell").count() > 0 and outputs.count() == 0
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator("[data-command='runmenu:run-all']").click()
        wait_until_done(page)
        assert outputs.count() > 0 and errors.count() == 0
        keep_picture(page, f"workbook_{Path(first).stem}")
        to_another = page.locator(".jp-RenderedMarkdown a[href*='.ipynb']").first
        other = re.search(r"[^/]+\.ipynb", to_another.get_attribute("href")).group()
        to_another.click()
        expect(page).to_have_url(re.compile(f"/lab/tree/workbook/{other}"))
        assert other != first
        page.close()
