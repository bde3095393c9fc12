"""Every lesson is a sequence of slides by one rule, and both slides and handouts load nothing from anywhere."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from helpers.exercises.form.overview import exercises_of
from tools.editions import ASKED
from tools.handout import handout
from tools.lessons import lessons
from tools.slides import slide_type, slides, tagged

SHORT = lessons(["20_interleavings"])[0]
FOLDED = {"jupyter": {"source_hidden": True}}
LOADED = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=[\"']?(?!data:)([^\"'>\s]+)|url\([\"']?(https?:[^)]+)"
)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (new_markdown_cell("# Talk"), "slide"),
        (new_markdown_cell("That was it.\n\n## What it costs"), "slide"),
        (new_markdown_cell("### In practice"), "subslide"),
        (new_markdown_cell("Some words."), "subslide"),
        (new_code_cell("import os", metadata=FOLDED), "-"),
        (new_code_cell('torn = question(shared_memory, "torn")\ntorn'), "subslide"),
        (new_code_cell("\n".join(["x = 1"] * 20 + ["torn.verdict(x)"])), "fragment"),
        (new_code_cell("lanes(run)"), "fragment"),
        (new_code_cell("\n".join(["x = 1"] * 9)), "subslide"),
        (new_code_cell('lesson_progress("pipe")'), "skip"),
    ],
)
def test_one_rule_says_which_cell_begins_a_slide(cell, kind):
    assert slide_type(cell) == kind


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_a_lesson_begins_with_a_slide_and_asks_before_it_tells(path):
    cells = tagged(nbformat.read(path, as_version=4)).cells
    kinds = [cell.metadata.slideshow.slide_type for cell in cells]
    assert kinds[0] == "slide" and kinds.count("slide") >= 4
    asked = [kind for cell, kind in zip(cells, kinds, strict=True) if ASKED.search(cell.source)]
    told = [kind for cell, kind in zip(cells, kinds, strict=True) if ".verdict(" in cell.source]
    assert set(asked) <= {"subslide"} and set(told) <= {"fragment"}


@pytest.mark.parametrize("page", [slides, handout])
def test_a_page_is_one_file_that_loads_nothing(page):
    html = page(SHORT)
    assert LOADED.findall('<script src="https://a/b.js">') and LOADED.findall("@import url(http://a)")
    # the programs that are in the page, without what they might write
    assert LOADED.findall(re.sub(r"(<script>).*?</script>", r"\1", html, flags=re.DOTALL)) == []


def test_slides_have_the_outputs_and_not_the_imports():
    html = slides(SHORT)
    cells = nbformat.read(SHORT, as_version=4).cells
    assert html.count("<section") > 20
    assert "Reveal.initialize" in html and "reveal.js 4" in html
    assert "data:image/png" in html or "<svg" in html
    assert cells[1].metadata.jupyter.source_hidden and "<h1" in html
    folded = cells[1].source.splitlines()[0]
    assert folded.startswith(("import", "from")) and folded not in re.sub(r"<[^>]+>", "", html)


def test_a_handout_asks_and_leaves_room_and_answers_nothing():
    html = re.sub(r"<style.*?</style>", "", handout(SHORT), flags=re.DOTALL)
    cells = nbformat.read(SHORT, as_version=4).cells
    questions = sum(" = question(" in cell.source for cell in cells)
    verdicts = sum(".verdict(" in cell.source for cell in cells)
    assert html.count("Because:") == questions > 0 and html.count("What happened, and why:") == verdicts
    assert html.count("Your program:") == len(exercises_of(SHORT.stem[3:])) > 0
    assert html.count('class="room"') == 2 * (questions + verdicts) + 12 * html.count("Your program:")
    assert "What happened?" not in html and "☐" in html
