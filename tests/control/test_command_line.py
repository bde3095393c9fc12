"""Control and recording from a terminal, with a file of one's own."""

import json
import os
import subprocess
import sys
from multiprocessing import get_all_start_methods
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="controlled programs are forked")

PROGRAM = f"""
from multiprocessing import get_context

ctx = get_context({get_all_start_methods()[0]!r})

def add(counter):
    counter.value += 1

def count():
    counter = ctx.Value("i", 0)
    children = [ctx.Process(target=add, args=(counter,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return counter.value

def draw():
    import random
    return random.random()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "counting.py").write_text(PROGRAM)
    return tmp_path


def run(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=120, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )  # fmt: skip


def test_a_failure_is_told_drawn_and_kept(folder):
    done = run(folder, "helpers.control", "counting.py:count", "--expect", "2")
    assert done.returncode == 1, done.stderr
    assert "both read Value 1 before either wrote" in done.stdout
    page = (folder / "count-outcome.html").read_text(encoding="utf-8")
    assert "<img alt=" in page
    assert "both read Value 1" in page
    events = json.loads((folder / "count-outcome.json").read_text())["traceEvents"]
    assert {"main", "ForkProcess-1"} <= {event["args"]["name"] for event in events if event["name"] == "process_name"}


def test_no_failure_is_exit_code_0_and_says_what_that_means(folder):
    done = run(folder, "helpers.control", "counting.py:count")
    assert done.returncode == 0, done.stderr
    assert "Every schedule with up to 2 preemptions was tried" in done.stdout


@pytest.mark.parametrize(
    "program, words",
    [
        ("counting.py", "path/to/program.py:function"),
        ("missing.py:count", "there is no file"),
        ("counting.py:nothing", "no function 'nothing'; it has add, count, draw"),
        ("counting.py:draw", "depends on more than the schedule"),
    ],
)
def test_what_cannot_be_checked_is_exit_code_2(folder, program, words):
    done = run(folder, "helpers.control", program)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_failed_check_tells_its_story_in_pytest(folder):
    (folder / "test_counting.py").write_text(
        "from counting import count\nfrom helpers.control import check\n\n"
        "def test_count():\n    assert check(count, lambda total: total == 2)\n"
    )
    # pytest alone: what else is installed has no part in this
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = run(folder, "pytest", "-q", "-p", "no:cacheprovider", "test_counting.py", **alone)
    assert done.returncode == 1
    assert "both read Value 1 before either wrote" in done.stdout


def test_a_recording_shows_lanes_and_waiting(folder):
    done = run(folder, "helpers.recording", "counting.py:count")
    assert done.returncode == 0, done.stderr
    assert "MainProcess spent" in done.stdout
    assert "<img alt=" in (folder / "count.html").read_text(encoding="utf-8")
    assert (folder / "count.json").exists()
