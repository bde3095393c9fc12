"""The review in JupyterLab, by keyboard alone: one question, its verdict, and then no more."""

import pytest
from playwright.sync_api import Page, expect

from helpers.lessons import interleavings
from tests.browser.conftest import PATIENCE, keep_picture, put_into_lab, write_notebook

NAME, ASKED = next((name, asked) for name, asked in interleavings.QUESTIONS.items() if asked.answers)
FIRST = next(iter(ASKED.answers))
LINE = {"lesson": "interleavings", "kind": "prediction", "name": NAME, "answer": "x", "right": False,
        "when": "2026-01-01T12:00:00+00:00", "happened": FIRST}  # fmt: skip
CELLS = [
    f"import json\nfrom helpers import progress, workbook\n\nworkbook.append(progress.FILE, json.dumps({LINE}))",
    "from helpers.show import review\n\nreview()",
]


@pytest.fixture
def page(lab, open_lesson, tmp_path) -> Page:
    put_into_lab(lab, write_notebook(tmp_path / "review.ipynb", CELLS))
    return open_lesson("review")


def test_a_question_comes_back_and_is_answered_by_keyboard(page):
    asked = page.get_by_role("group", name="Review", exact=True)
    expect(asked).to_contain_text("1 question to ask.", timeout=PATIENCE)
    asked.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(asked.get_by_role("status")).to_contain_text("You were right")
    keep_picture(page, "review")
    expect(asked.get_by_role("button").first).to_be_enabled()
    page.keyboard.press("Enter")
    expect(asked).to_contain_text("Nothing is to be asked now.")
