"""Private names of CPython: each is in the table, the table is asked first, and each Python that is here has them."""

import gc
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from helpers import compat
from helpers.compat import TABLE, PrivateName, UnsupportedPython
from helpers.scheduling import CannotExplore, explore
from helpers.scheduling.model import local_state
from tests import scheduled
from tools.matrix import of_pyenv

ROOT = Path(__file__).parent.parent
SUPPORTED = [f"3.{minor}" for minor in (11, 12, 13, 14)]
READ = (
    "import sys; from helpers.compat import TABLE, missing\n"
    "print('%d.%d' % sys.version_info[:2], [words for name in TABLE for words in missing(name)])\n"
)
LOOPS = """
from helpers.scheduling import deadlock, explore
def toggle(number, things):
    for _ in things:
        number.value = 1
        yield
    number.value = 2
    yield
for things in ("aaa", (0, 0, 0), [0, 0, 0], range(3), {0, 1, 2}, {0: 0, 1: 0}, zip("ab", "cd"), b"aa"):
    explored = explore(lambda objects: [(toggle, (objects.integer("n"), things))])
    assert (explored.outcomes, explored.deadlocks) == ({2: 1}, 0), (things, explored.outcomes)
print("same")
"""


def candidates(version):
    """Return commands that may be a Python of this version: this one, the one on the path, those of pyenv."""
    own = [sys.executable] if f"{sys.version_info[0]}.{sys.version_info[1]}" == version else []
    named = map(shutil.which, (f"python{version}", *of_pyenv(version)))
    return [*own, *filter(None, named)]


def runs(command):
    return subprocess.run([command, "-c", ""], capture_output=True, timeout=60).returncode == 0


@cache
def pythons():
    """Return the command of each supported Python that this machine can run, from version to command."""
    found = {version: next(filter(runs, candidates(version)), None) for version in SUPPORTED}
    return {version: command for version, command in found.items() if command}


def run(version, program):
    return subprocess.run(
        [pythons()[version], "-c", program], capture_output=True, text=True, timeout=120, cwd=ROOT, check=True
    ).stdout


@pytest.mark.thorough
def test_each_python_that_is_here_has_all_private_names_and_shows_where_loops_are():
    for version in pythons():
        assert run(version, READ).split(maxsplit=1) == [version, "[]\n"]
        assert run(version, LOOPS) == "same\n", version


def test_all_supported_pythons_are_here():
    if absent := [version for version in SUPPORTED if version not in pythons()]:
        pytest.skip(f"no Python {', '.join(absent)} on this machine to read the table of private names with")


def test_what_is_missing_is_said_in_one_sentence(monkeypatch):
    gone = PrivateName("multiprocessing.util:_gone"), PrivateName("multiprocessing.pool:Pool.__init__", ("_never",))
    monkeypatch.setitem(TABLE, "scheduling", gone)
    compat.require.cache_clear()
    with pytest.raises(UnsupportedPython, match=r"which lacks multiprocessing.util._gone, _never in .*Pool.__init__;"):
        explore(scheduled.of(scheduled.within))
    compat.require.cache_clear()


@pytest.fixture
def hidden_loops(monkeypatch):
    """Imitate CPython 3.15, where the collector does not see how far a loop over a list, a tuple or a str has got."""
    plain, hidden = gc.get_referents, (type(iter([])), type(iter(())), type(iter("")), type(iter("é")))
    monkeypatch.setattr(gc, "get_referents", lambda one: [each for each in plain(one) if not isinstance(each, hidden)])
    local_state.require_visible_loops.cache_clear()
    yield
    local_state.require_visible_loops.cache_clear()


def test_a_python_that_hides_how_far_a_loop_is_is_refused_and_never_wrong(hidden_loops):
    with pytest.raises(CannotExplore, match=r"Python .* hides how far a loop over a \w+ has got"):
        explore(scheduled.of(scheduled.twice_the_same))
