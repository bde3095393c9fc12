"""The same models in SPIN, the model checker: how many states it finds, and how long it takes.

Needs `spin` (apt-get install spin) and a C compiler. The verifier is compiled with -O2 and without reduction, so that
it visits the same states; its time is that of its run alone, without making and compiling it. Each step is atomic, as
a step of a worker is from one yield to the next.
"""

import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

COMPILER = next(filter(shutil.which, ("cc", "gcc", "clang")), None)
MEMORY = 4000  # MB that the verifier may use


class Verified(NamedTuple):
    """What SPIN found."""

    states: int
    seconds: float  # of processor time


def missing():
    """Return what this machine lacks for SPIN, in words; None if nothing."""
    lacks = [name for name, there in (("spin", shutil.which("spin")), ("a C compiler", COMPILER)) if not there]
    return f"needs {' and '.join(lacks)}" if lacks else None


def increments(processes, times):
    """Return the model of processes that each add to one counter, a reading and a writing a time."""
    return f"""
byte counter;
active [{processes}] proctype increment() {{
  byte seen, done;
end:
  do
  :: atomic {{ done < {times} -> seen = counter }};
     atomic {{ counter = seen + 1; seen = 0; done++ }}
  od
}}
"""


def philosophers(number):
    """Return the model of philosophers who each take the fork to the left first."""
    return f"""
bool fork[{number}], eaten[{number}];
active [{number}] proctype dine() {{
  atomic {{ !fork[_pid] -> fork[_pid] = true }};
  atomic {{ !fork[(_pid + 1) % {number}] -> fork[(_pid + 1) % {number}] = true }};
  eaten[_pid] = true;
  fork[(_pid + 1) % {number}] = false;
  fork[_pid] = false;
end:
  false
}}
"""


def bounded_queue(maxsize, items):
    """Return the model of a producer, a consumer, and a queue between them."""
    return f"""
chan queue = [{maxsize}] of {{ byte }};
int total;
active proctype produce() {{
  byte item;
end:
  do
  :: atomic {{ item < {items} && nfull(queue) -> queue!item; item++ }}
  od
}}
active proctype consume() {{
  byte item, got;
end:
  do
  :: atomic {{ got < {items} && nempty(queue) -> queue?item }};
     atomic {{ total = total + item; item = 0; got++ }}
  od
}}
"""


def verify(model):
    """Return the states of a model and the time that the verifier took."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "model.pml").write_text(model, encoding="utf-8")
        _run(["spin", "-a", "model.pml"], folder)
        _run([COMPILER, "-O2", "-DNOREDUCE", "-DNOCLAIM", f"-DMEMLIM={MEMORY}", "-o", "pan", "pan.c"], folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # no partial verification: all states, and on past each deadlock
        said = _run(["./pan", "-m10000000", "-w20", "-E", "-c0"], folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    states = int(float(re.search(r"([\d.e+]+) states, stored", said)[1]))
    return Verified(states, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _run(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=600).stdout
