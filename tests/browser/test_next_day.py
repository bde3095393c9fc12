"""A lesson that is saved, closed and opened again, or read without a kernel, shows what it showed."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Locator, Page, expect

from helpers import progress
from helpers.exercises.shared_memory import till
from tests.browser.conftest import ARTEFACTS, barriers, call_lab, keep_picture, put_into_lab, write_notebook

CELLS = [
    "from helpers.lessons import interleavings\n"
    "from helpers.show import compare, panel, progress, show_source\n"
    "from helpers.exercises import all_progress, your_turn\n"
    "from helpers.questions import Question\nfrom helpers.show.widgets.predict import Prediction\n"
    "from helpers.show.explorer import explorer",
    'answers = {"none": "0", "one": "1", "two": "2"}\n'
    'answer = Prediction(Question("What does the counter say?", "So it was.", answers))\nanswer',
    'answer.verdict("one")',
    "panel(interleavings.play, draw=compare, workers=(1, 3, 2), increments=(1, 3, 1), lock=False)",
    "explorer(interleavings.increments(2), 1)",
    'your_turn("shared_memory")\nshow_source(interleavings.increments)',
    f"%%mine till\n{till.skeleton.rstrip()}",
    "all_progress()",
    "done = progress(3)\ndone(2)",
]
LOST = re.compile("Lost update: step 4, “write 1” by increment 1")


@pytest.fixture(autouse=True)
def nothing_solved(lab_folder: Path) -> None:
    """Begin as a learner does who has solved no exercise; other tests solve some in the same workbook."""
    (lab_folder / "workbook" / progress.FILE).unlink(missing_ok=True)


def question_on(page: Page) -> Locator:
    return page.locator("[data-talking-processes]").nth(0)


def panel_on(page: Page) -> Locator:
    return page.locator("[data-talking-processes]").nth(1)


def explorer_on(page: Page) -> Locator:
    return page.locator(".tp-explorer")


def desk_on(page: Page) -> Locator:
    return page.locator("[data-talking-processes]").nth(3)


def use(page: Page) -> None:
    """Answer the question, run the panel with three workers, break and replay the explorer's scenario, take a hint."""
    question_on(page).get_by_label("2", exact=True).check()
    question_on(page).get_by_role("button", name="That is my answer").click()
    expect(question_on(page)).to_contain_text("Your answer: 2.")
    panel_on(page).get_by_label("workers").fill("3")
    panel_on(page).get_by_role("button", name="Run").click()
    expect(panel_on(page)).to_contain_text("3 x 1: 90 schedules")
    explorer_on(page).focus()
    page.keyboard.type("0101")
    explorer_on(page).get_by_role("button", name="Replay on real processes").click()
    expect(explorer_on(page).locator(".tp-replay img")).to_be_visible()
    expect(explorer_on(page).get_by_role("button", name="Replay on real processes")).to_be_enabled()
    desk_on(page).get_by_role("button", name="Hint").click()
    expect(desk_on(page)).to_contain_text("Hint 1 of 3")


def save(page: Page) -> None:
    """Save by keyboard; JupyterLab hears it wherever the focus is, in a widget too."""
    page.keyboard.press("Control+s")
    # the mark of a file with changes that are not saved yet
    expect(page.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)


def shows_what_it_showed(page: Page) -> None:
    expect(page.get_by_text("model not found")).to_have_count(0)
    expect(question_on(page)).to_contain_text("What does the counter say?")
    expect(question_on(page)).to_contain_text("Your answer: 2.")
    expect(panel_on(page)).to_contain_text("3 x 1: 90 schedules")
    expect(panel_on(page).locator("img")).to_be_visible()
    expect(explorer_on(page).locator(".tp-verdict")).to_have_text(LOST)
    expect(explorer_on(page).locator(".tp-replay img")).to_be_visible()
    expect(desk_on(page)).to_contain_text("Hint 1 of 3")
    expect(page.get_by_text("0 exercises solved")).to_be_visible()
    expect(page.get_by_role("progressbar", name="runs")).to_be_visible()
    expect(page.get_by_text("2 of 3 runs")).to_be_visible()


def choose_theme(lab: str, theme: str) -> None:
    """Set the theme of JupyterLab for pages that are opened from now on."""
    settings = {"raw": json.dumps({"theme": theme})}
    call_lab(lab, "PUT", "lab/api/settings/@jupyterlab/apputils-extension:themes", settings)


@pytest.fixture(scope="module", params=["JupyterLab Light", "JupyterLab Dark"], ids=["light", "dark"])
def theme(lab, request):
    choose_theme(lab, request.param)
    yield request.param
    choose_theme(lab, "JupyterLab Light")


def test_the_next_day_everything_shows_as_it_was(lab, theme, open_lesson, open_notebook, tmp_path):
    name = f"next_day_{theme.split()[-1].lower()}"
    put_into_lab(lab, write_notebook(tmp_path / f"{name}.ipynb", CELLS))
    page = open_lesson(name)
    use(page)
    save(page)
    keep_picture(page, f"{name}_before")
    assert barriers(page) == []
    page.close()
    for kernel in json.loads(call_lab(lab, "GET", "api/kernels")):
        call_lab(lab, "DELETE", f"api/kernels/{kernel['id']}")

    page = open_notebook(name)
    shows_what_it_showed(page)
    expect(panel_on(page)).to_contain_text("Run this cell to turn the knobs yourself.")
    explorer_on(page).focus()
    page.keyboard.press("u")
    expect(explorer_on(page).locator(".tp-verdict")).to_have_text("Step 3, “write 1” by increment 0.")
    explorer_on(page).get_by_role("button", name="Replay on real processes").focus()
    page.keyboard.press("Enter")
    expect(explorer_on(page).locator(".tp-notice")).to_contain_text("run this cell")
    keep_picture(page, f"{name}_after")
    assert barriers(page) == []


def test_a_page_that_is_loaded_again_is_live_again_and_after_a_restart_of_the_kernel_it_stays(
    lab, open_lesson, tmp_path
):
    put_into_lab(lab, write_notebook(tmp_path / "reloaded.ipynb", CELLS))
    page = open_lesson("reloaded")
    use(page)
    save(page)
    page.reload()
    shows_what_it_showed(page)
    run = panel_on(page).get_by_role("button", name="Run")
    run.click()
    expect(panel_on(page)).to_contain_text("Run 3")
    expect(run).to_be_enabled()
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator("[data-command='kernelmenu:restart']").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(panel_on(page)).to_contain_text("Run this cell to use its knobs.")
    shows_what_it_showed(page)
    expect(run).to_be_disabled()
    expect(explorer_on(page).get_by_role("button", name="Replay on real processes")).to_be_disabled()


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Run a notebook as nbconvert, papermill and myst-nb do, with the state of its widgets kept."""
    path = write_notebook(tmp_path_factory.mktemp("executed") / "executed.ipynb", CELLS)
    notebook = nbformat.read(path, as_version=4)
    return NotebookClient(notebook, timeout=60, store_widget_state=True).execute()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_executed_page_reads_well_without_a_network(executed, offline, tmp_path, scheme):
    html, _ = HTMLExporter(theme=scheme).from_notebook_node(executed)
    page = offline(html, tmp_path, color_scheme=scheme)
    expect(question_on(page)).to_contain_text("What does the counter say?")
    expect(question_on(page)).to_contain_text("Run this cell to answer.")
    expect(panel_on(page)).to_contain_text("2 x 1: 6 schedules")
    expect(panel_on(page).locator("img")).to_be_visible()
    explorer_on(page).focus()
    page.keyboard.type("0101")
    expect(explorer_on(page).locator(".tp-verdict")).to_have_text(LOST)
    expect(explorer_on(page).get_by_role("button", name="Replay on real processes")).to_be_disabled()
    fonts = page.locator(".jp-OutputArea-output pre").evaluate_all(
        "all => all.map(one => getComputedStyle(one).fontFamily)"
    )
    assert fonts and [font for font in fonts if "mono" not in font] == []
    assert barriers(page) == []
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"executed_{scheme}.png", full_page=True)


def test_no_output_of_an_executed_notebook_needs_a_widget(executed):
    """Whatever reads it later, myst-nb for one, finds nothing that only a kernel can show."""
    kinds = {kind for cell in executed.cells for output in cell.outputs for kind in output.get("data", {})}
    assert "text/html" in kinds and not [kind for kind in kinds if "widget" in kind]
