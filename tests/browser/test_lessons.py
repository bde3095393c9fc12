"""Each lesson, used as a learner uses it: run all cells, answer a prediction, turn a knob, press Run."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import keep_picture, wait_until_done

# a review has a widget and a test of its own
LESSONS = sorted({path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb")} - {"29_review"})


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_and_its_panel_answers(open_lesson, name):
    page = open_lesson(name)
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
    answer_by_keyboard(page)
    press_run_with_another_value(page, "ArrowRight", 2)
    press_run_with_another_value(page, "ArrowLeft", 3)
    wait_until_done(page)
    keep_picture(page, name)


def answer_by_keyboard(page: Page) -> None:
    """Commit to an answer of the first prediction with the keyboard alone; JupyterLab leaves it its keys."""
    question = page.get_by_role("group", name="Prediction", exact=True).first
    question.scroll_into_view_if_needed()
    first = question.locator("input").first
    first.focus()
    if first.get_attribute("type") == "radio":
        page.keyboard.press("ArrowDown")
        expect(question.get_by_role("radio").nth(1)).to_be_checked()
    else:
        page.keyboard.type("12.5")
    page.keyboard.press("Tab")
    expect(question.get_by_role("button", name="That is my answer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(question).to_contain_text("Your answer: ")
    # the verdict was told when all cells ran
    expect(question).to_contain_text("To compare it, run the next cell again.")


def press_run_with_another_value(page: Page, key: str, number: int) -> None:
    """Move the panel's first slider or list by one, press Run, and wait for another picture and another verdict."""
    panel = page.get_by_role("group", name="Experiment", exact=True).last
    panel.scroll_into_view_if_needed()
    verdict, picture = panel.get_by_role("status"), panel.locator("img")
    # the result before is said a moment before the panel is free
    expect(panel.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    before = picture.get_attribute("src")
    sliders = panel.get_by_role("slider")
    knob = sliders.first if sliders.count() else panel.get_by_role("combobox").first
    knob.focus()
    knob.press(key)
    expect(knob).to_be_focused()
    # in a list, Enter is the browser's own
    (knob if sliders.count() else panel.get_by_role("button", name="Run", exact=True)).press("Enter")
    expect(verdict).to_contain_text(f"Run {number}")
    expect(picture).not_to_have_attribute("src", before)
