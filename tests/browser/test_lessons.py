"""Each lesson, used as a learner uses it: run all cells, answer a prediction, turn a knob, press Run."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import keep_picture, wait_until_done

LESSONS = sorted(path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_and_its_panel_answers(open_lesson, name):
    page = open_lesson(name)
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']").count() == 0
    answer_by_keyboard(page)
    for _ in range(2):
        press_run_with_another_value(page)
    wait_until_done(page)
    keep_picture(page, name)


def answer_by_keyboard(page: Page) -> None:
    """Commit to the first answer of the first prediction, with the keyboard alone."""
    first = page.locator(".widget-radio input[type=radio]").first
    first.scroll_into_view_if_needed()
    first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    tab_to(page, "That is my answer")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Your answer: ")).first).to_be_visible()


def tab_to(page: Page, button: str) -> None:
    """Press Tab until the button has the focus; it is at most a few answers away."""
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == button:
            return
    raise AssertionError(f"Tab does not lead to the button {button!r}")


def press_run_with_another_value(page: Page) -> None:
    """Move the panel's first slider by one, press Run, and wait for another picture and another verdict."""
    button = page.get_by_role("button", name="Run", exact=True).last
    button.scroll_into_view_if_needed()
    verdict, picture = page.locator("p[role=status]").last, page.locator(".widget-html img").last
    before = verdict.inner_text(), picture.get_attribute("src")
    handle = page.locator(".widget-slider .noUi-handle").first
    handle.focus()
    handle.press("ArrowRight")
    button.focus()
    button.press("Enter")
    expect(verdict).not_to_have_text(before[0])
    expect(picture).not_to_have_attribute("src", before[1])
