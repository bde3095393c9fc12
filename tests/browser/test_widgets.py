"""Questions and panels in JupyterLab: their keys, their size, what is new, and what a page says to everybody."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from helpers.lessons.interleavings import additions, increments
from helpers.questions import Question
from helpers.show import bars
from helpers.show import panel as panel_of
from helpers.show.explorer import explorer
from helpers.show.widgets.predict import Prediction
from tests.browser.conftest import keep_picture, put_into_lab, write_notebook

CELLS = [
    "import time\n\nfrom helpers.questions import Question\n"
    "from helpers.show import bars, panel\nfrom helpers.show.widgets.predict import Prediction",
    'Prediction(Question("What comes of `1 + 1`?", "", {"1": "1", "2": "2", "none": "`None`"}))',
    'Prediction(Question("How long is a day?", "", unit="h"))',
    "def same(length, part, kind, quick):\n"
    '    return {"seconds": {"a": 1.0, "b": 2.0}}, "134 of 134 runs were right."\n\n\n'
    'panel(same, draw=bars, length=(1, 9, 3), part=(0.0, 1.0, 0.5), kind=["this", "that"], quick=True)',
    'from helpers.lessons import pipe\nfrom helpers.show import question\n\nquestion(pipe, "who_waits")',
]


@pytest.fixture(scope="module")
def page(lab, open_shared_lesson, tmp_path_factory) -> Page:
    """A page at the size of a projector, with all cells run; each test uses another widget, or finds it as it is."""
    put_into_lab(lab, write_notebook(tmp_path_factory.mktemp("widgets") / "widgets.ipynb", CELLS))
    return open_shared_lesson("widgets", 720)


def question(page: Page, number: int = 0) -> Locator:
    return page.get_by_role("group", name="Prediction", exact=True).nth(number)


def panel(page: Page) -> Locator:
    return page.get_by_role("group", name="Experiment", exact=True)


def runs(page: Page) -> int:
    """How often the panel has run."""
    return int(panel(page).locator(".tp-count").inner_text().removeprefix("Run "))


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


def test_a_question_that_is_run_again_has_the_answer_and_lets_it_be_changed(page):
    asked = question(page, 2)
    answers, said = asked.get_by_role("radio"), asked.get_by_role("status")
    button = asked.get_by_role("button", name="That is my answer")
    answers.nth(1).check()
    button.click()
    expect(answers.first).to_be_disabled()
    page.locator(".jp-CodeCell").last.get_by_role("textbox").first.click()
    page.keyboard.press("Control+Enter")
    expect(said).to_contain_text("You may change it. Now run the next cell.")
    expect(answers.nth(1)).to_be_checked()
    answers.first.check()
    button.click()
    expect(said).not_to_contain_text("You may change it.")
    expect(answers.first).to_be_checked()
    expect(answers.first).to_be_disabled()


def test_the_same_result_once_more_shows_that_it_is_new(page):
    said, number = panel(page).get_by_role("status"), runs(page)
    expect(said).to_have_text(f"Run {number}134 of 134 runs were right.")
    expect(panel(page).get_by_role("button", name="Run")).to_be_enabled()
    panel(page).get_by_role("button", name="Run").press("Enter")
    expect(said).to_have_text(f"Run {number + 1}134 of 134 runs were right.")
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
    before = runs(page)
    for number in range(before + 1, before + 4):
        # the result is said a moment before the panel is free
        expect(panel(page).get_by_role("button", name="Run")).to_be_enabled()
        length.press("Enter")
        expect(panel(page).get_by_role("status")).to_contain_text(f"Run {number}")
        expect(length).to_be_focused()


RENDERED = """async ([script, style, values]) => {
    const widget = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
    const sheet = document.createElement("style"), place = document.createElement("div");
    sheet.textContent = style;
    document.body.append(sheet, place);
    const model = { get: (name) => values[name], set: (name, value) => { values[name] = value; },
                    save_changes() {}, send() {}, on() {}, off() {} };
    widget.default.render({ model, el: place });
}"""


def test_many_widgets_on_a_page_claim_no_landmark_and_no_heading_and_speak_with_one_voice_each(browser):
    """Landmarks of the same name, and headings out of the order of the page around, lead screen readers astray."""
    shown = [explorer(increments(2)), explorer(additions(2)), Prediction(Question("What?", "", {"1": "1", "2": "2"}))]
    shown += [Prediction(Question("How?", "", unit="s"))]
    shown += [panel_of(lambda n: ({"seconds": {"a": 1.0, "b": 2.0}}, "well"), draw=bars, n=(1, 3, 1)) for _ in "12"]
    shown[2].has_cells = False
    page = browser.new_page()
    for widget in shown:
        values = {name: getattr(widget, name) for name in widget.traits(sync=True) if name not in ("layout", "comm")}
        plain = {name: value for name, value in values.items() if isinstance(value, str | list | dict | float | None)}
        page.evaluate(RENDERED, [widget._esm, widget._css, plain])
    asked = page.get_by_role("group", name="Prediction").first
    asked.get_by_role("radio").first.check()
    asked.get_by_role("button").click()
    # where there is no cell, nobody is told to run one
    expect(asked.get_by_role("status")).to_have_text("Your answer: 1. What happened stands below.")
    for one in page.locator(".tp-explorer").all():
        one.get_by_role("button", name="All outcomes").click()
        one.focus()
        page.keyboard.type("01")
    assert page.locator(".tp-widget").count() == len(shown)
    for role in ("heading", "banner", "complementary", "region", "form", "toolbar"):
        assert page.get_by_role(role).count() == 0, role
    for widget in page.locator(".tp-widget").all():
        assert widget.get_by_role("status").count() == 1
    for control in page.locator("input, select, button").all():
        expect(control).to_have_accessible_name(re.compile("."))
    # every column says what it holds
    assert "" not in page.locator("th").all_inner_texts()
    page.close()
