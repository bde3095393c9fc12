"""An exercise in JupyterLab by keyboard: solved wrongly, hinted at, solved rightly, and remembered."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from helpers.exercises.shared_memory import till
from tests.browser.conftest import PATIENCE, keep_picture, put_into_lab, wait_until_done, write_notebook

LESSON = "shared_memory"
CELLS = [
    f'from helpers.exercises import all_progress, lesson_progress, your_turn\n\nyour_turn("{LESSON}")',
    f"%%mine till\n{till.skeleton.rstrip()}",
    f'lesson_progress("{LESSON}")',
    "all_progress()",
]


@pytest.fixture
def page(lab, open_lesson, tmp_path) -> Page:
    put_into_lab(lab, write_notebook(tmp_path / "exercise.ipynb", CELLS))
    return open_lesson("exercise")


def desk(page: Page) -> Locator:
    return page.get_by_role("group", name="Exercise till: repair it")


def write(page: Page, text: str) -> None:
    """Put a text into the cell, and run it."""
    editor = page.locator(".jp-CodeCell").nth(1).locator(".cm-content")
    editor.click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")
    wait_until_done(page)


def press(page: Page, name: str, said: str) -> Locator:
    """Press a button by keyboard, and wait for what it says."""
    button = desk(page).get_by_role("button", name=name, exact=True)
    # what was asked before is said a moment before the desk is free
    expect(button).to_be_enabled()
    button.press("Enter")
    expect(desk(page).get_by_role("status")).to_contain_text(re.compile(said, re.DOTALL), timeout=PATIENCE)
    return desk(page)


def test_an_exercise_is_solved_wrongly_then_rightly_and_remembered_after_a_restart(page):
    press(page, "Check", "Not attempted yet")
    write(page, f"%%mine till\n{till.with_part(till.mistakes[0].source)}")
    wrong = press(page, "Check", r"Wrong.*\+= on one line is still a reading and a writing")
    expect(wrong.locator("pre").first).to_contain_text("The outcome is 10")
    expect(wrong.locator("img, svg").first).to_be_visible()
    expect(wrong.get_by_role("button", name="Check")).to_be_focused()
    keep_picture(page, "exercise_wrong")
    press(page, "Hint", "Hint 1 of 3")
    press(page, "Hint", "Hint 2 of 3")
    press(page, "Solution", "Ask once more")
    write(page, f"%%mine till\n{till.reference}")
    right = press(page, "Check", "Right")
    expect(right.locator("img, svg").first).to_be_visible()
    keep_picture(page, "exercise_right")

    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator("[data-command='kernelmenu:restart-and-clear']").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(page.locator(".jp-OutputArea-output")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("[data-command='runmenu:run-all']").click()
    wait_until_done(page)
    remembered = page.get_by_role("group", name="Progress")
    expect(remembered.first).to_contain_text("1 of 6 exercises solved")
    press(page, "Check", "Right")
    remembered.last.get_by_role("button").press("Enter")
    expect(remembered.last.get_by_role("button")).to_have_text("Start over: really?")
    expect(remembered.last.get_by_role("button")).to_be_enabled()
    remembered.last.get_by_role("button").press("Enter")
    expect(remembered.last).to_contain_text("0 exercises solved")
    keep_picture(page, "exercise_progress")


def test_the_skeleton_does_not_take_the_place_of_what_the_learner_wrote(page):
    write(page, f"%%mine till\n{till.reference}")
    write(page, CELLS[1])
    expect(desk(page).get_by_role("status")).to_contain_text("Your own version is kept in workbook/till.py")
    press(page, "Check", "Right")
    press(page, "Start over", "what you had is kept: till \\(kept.*\\).py")
    press(page, "Check", "Not attempted yet")
