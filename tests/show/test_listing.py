"""A worker's source is shown with the file in which it stands."""

import pytest

from helpers.lessons import pipe
from helpers.show import show_source
from helpers.show.listing import FIXED_WIDTH


def test_the_source_and_its_file_are_shown():
    shown = show_source(pipe.answer).data
    assert shown.startswith(f'<div style="{FIXED_WIDTH}">\n\n`helpers/lessons/pipe.py`\n\n```python\ndef answer(')
    assert shown.endswith("```\n\n</div>")


def test_several_sources_follow_each_other():
    shown = show_source(pipe.answer, pipe.tell).data
    assert shown.index("def answer(") < shown.index("def tell(")


@pytest.mark.parametrize("worker", [len, "answer", None])
def test_what_has_no_source_is_refused(worker):
    with pytest.raises(TypeError, match="workers must be functions or classes written in a module"):
        show_source(worker)


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="workers must be one or more"):
        show_source()
