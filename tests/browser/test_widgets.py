"""Questions and panels in JupyterLab: their keys, their size, what is new, and what a page says to everybody."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import keep_picture, put_into_lab, write_notebook

CELLS = [
    "import time\n\nfrom helpers.show import bars, panel, predict",
    'predict("What comes of `1 + 1`?", ["1", "2", "`None`"])',
    'predict("How long is a day?", unit="h")',
    "def same(length, part, kind, quick):\n"
    '    return {"seconds": {"a": 1.0, "b": 2.0}}, "134 of 134 runs were right."\n\n\n'
    'panel(same, draw=bars, length=(1, 9, 3), part=(0.0, 1.0, 0.5), kind=["this", "that"], quick=True)',
]


@pytest.fixture
def page(lab, open_lesson, tmp_path) -> Page:
    """A page at the size of a projector, with all cells run."""
    put_into_lab(lab, write_notebook(tmp_path / "widgets.ipynb", CELLS))
    return open_lesson("widgets", 720)


def question(page: Page, number: int = 0) -> Locator:
    return page.get_by_role("form", name="Prediction").nth(number)


def panel(page: Page) -> Locator:
    return page.get_by_role("form", name="Experiment")


def test_a_question_is_answered_by_keyboard_and_then_locked(page):
    asked = question(page)
    expect(asked.locator("code").first).to_have_text("1 + 1")
    asked.get_by_role("button", name="That is my answer").press("Enter")
    expect(asked.get_by_role("status")).to_have_text("Choose an answer first.")
    answers = asked.get_by_role("radio")
    answers.first.focus()
    page.keyboard.press("ArrowDown")
    expect(answers.nth(1)).to_be_checked()
    expect(answers.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(asked.get_by_role("status")).to_have_text("Your answer: 2. Now run the next cell.")
    # the page is saved anew, and the keyboard stays where it was
    expect(asked.get_by_role("button", name="That is my answer")).to_be_focused()
    expect(answers.first).to_be_disabled()


def test_a_number_is_typed_and_what_is_none_is_asked_for_again(page):
    asked = question(page, 1)
    number = asked.get_by_role("textbox", name="A number, in h")
    for wrong in ("soon", "1e300", ""):
        number.fill(wrong)
        number.press("Enter")
        expect(asked.get_by_role("status")).to_have_text("Type a number first, such as 2.5.")
    number.fill("24,5")
    number.press("Enter")
    expect(asked.get_by_role("status")).to_have_text("Your answer: 24.5 h. Now run the next cell.")


def test_the_same_result_once_more_shows_that_it_is_new(page):
    said = panel(page).get_by_role("status")
    expect(said).to_have_text("Run 1134 of 134 runs were right.")
    panel(page).get_by_role("button", name="Run").press("Enter")
    expect(said).to_have_text("Run 2134 of 134 runs were right.")
    expect(panel(page).get_by_role("button", name="Run")).to_be_focused()


def test_knobs_have_names_and_obey_the_keyboard(page):
    length = panel(page).get_by_role("slider", name="length")
    length.press("ArrowRight")
    expect(length).to_have_value("4")
    expect(length).to_be_focused()
    expect(panel(page).get_by_text("4", exact=True)).to_be_visible()
    kind = panel(page).get_by_role("combobox", name="kind")
    kind.press("ArrowDown")
    expect(kind).to_have_value("1")
    panel(page).get_by_role("checkbox", name="quick").press("Space")
    expect(panel(page).get_by_role("checkbox", name="quick")).not_to_be_checked()


def test_a_panel_fits_a_projector(page):
    panel(page).scroll_into_view_if_needed()
    box, notebook = panel(page).bounding_box(), page.locator(".jp-WindowedPanel-outer").bounding_box()
    keep_picture(page, "panel")
    assert box["height"] <= notebook["height"]
    assert box["width"] <= notebook["width"]


def test_the_keyboard_stays_in_a_widget_whose_saved_page_changes(page):
    """Each answer of the kernel changes what is saved, and with it the place on the page."""
    length = panel(page).get_by_role("slider", name="length")
    for number in range(2, 5):
        length.press("Enter")
        expect(panel(page).get_by_role("status")).to_contain_text(f"Run {number}")
        expect(length).to_be_focused()
