"""Exploring needs no processes and no threads: in Pyodide, the Python of browsers, it says the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
from helpers.scheduling import Scenario, deadlock, explore, pct, random_walks, starves
from tests import scheduled

names = "plain_barrier plain_condition wrong_sleeper alarm polite_pair crossed_with test_and_set".split()
scenarios = [scheduled.of(scheduled.within, 3), scheduled.of(scheduled.twice_the_same, 2)]
scenarios += [Scenario(getattr(scheduled, name)) for name in names]
scenarios += [scheduled.interpreted([[(verb, 0)], [(verb, 1)], [("add", 0)]]) for verb in scheduled.VERBS]
for scenario in scenarios:
    for grain in ("step", "access"):
        explored = explore(scenario, grain)
        print(scenario.name, grain, len(explored), explored.schedules, sorted(map(str, explored.outcomes.items())))
        print(explored.shortest(deadlock), explored.distinct_orders, starves(explored, 0))
    print(random_walks(scenario, 3, seed=1, longest=50), pct(scenario, 3, seed=1, longest=50))
"""


def package():
    """Return the address of pyodide.mjs where npm has put it: in the project, or below the folder NODE_PATH."""
    folders = [ROOT / "node_modules", *map(Path, os.environ.get("NODE_PATH", "").split(os.pathsep))]
    found = next((folder / "pyodide" / "pyodide.mjs" for folder in folders if (folder / "pyodide").is_dir()), None)
    return found and found.resolve().as_uri()


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
@pytest.mark.skipif(not package(), reason="needs the npm package pyodide: npm install --no-save pyodide")
def test_the_model_is_explored_alike_in_a_browser():
    command = ["node", str(Path(__file__).with_name("in_pyodide.mjs")), package(), str(ROOT), PROGRAM]
    browser = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert browser.returncode == 0, browser.stderr[-3000:]
    here = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, cwd=ROOT, check=True
    )
    assert browser.stdout == here.stdout
