"""A quick run leaves out what repeats a test in another way, and nothing else."""

from multiprocessing import get_all_start_methods, get_context
from types import SimpleNamespace

import pytest

from conftest import is_thorough


def item(nodeid="tests/test_words.py::test_plurals", marker=None, **params):
    callspec = {"callspec": SimpleNamespace(params=params)} if params else {}
    return SimpleNamespace(nodeid=nodeid, get_closest_marker={"thorough": marker}.get, **callspec)


@pytest.mark.parametrize("method", get_all_start_methods())
def test_other_start_methods_than_spawn_are_left_out(method):
    assert is_thorough(item(method=method)) == is_thorough(item(ctx=get_context(method))) == (method != "spawn")


def test_what_is_marked_or_a_tool_is_left_out():
    assert is_thorough(item(marker=pytest.mark.thorough.mark))
    assert is_thorough(item("tests/campaign/test_detectors.py::test_x"))


def test_all_else_runs():
    assert not is_thorough(item())
    assert not is_thorough(item(number=3, word="forked"))
    assert not is_thorough(item("notebooks/10_pipe.ipynb::Cell 3"))
