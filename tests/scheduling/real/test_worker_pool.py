"""Worker processes: kept, ended, reported, and nothing left of them."""

import gc
import os
import signal
import subprocess
import sys
import time
from multiprocessing import active_children

import pytest

from helpers.lessons import interleavings
from helpers.scheduling import (
    Scenario,
    keep_workers,
    replay,
    sample,
)
from helpers.supervision.supervisor import ProcessesFailed
from tests import scheduled


def test_worker_processes_are_kept_within_a_block_and_end_with_it():
    scenario = interleavings.increments()
    with keep_workers():
        pids = [{process.pid for process in replay(scenario, [0, 1]).trace.processes} for _ in range(3)]
        assert len(active_children()) == 2
    assert pids[0] == pids[1] == pids[2]
    assert active_children() == []


@pytest.mark.parametrize("run", [lambda scenario: replay(scenario, [0]), lambda scenario: sample(scenario, 2)])
def test_a_worker_process_that_dies_is_reported(run):
    with pytest.raises(ProcessesFailed, match="exit code 3"):
        run(scheduled.of(scheduled.die))
    assert active_children() == []


@pytest.mark.parametrize(
    ("run", "worker"),
    [
        (lambda scenario: replay(scenario, [0], deadline=0.6), scheduled.hang_in_children_only),
        (lambda scenario: sample(scenario, 1, deadline=0.4), scheduled.circle),
    ],
)
def test_a_worker_process_that_goes_on_for_ever_is_ended_at_the_deadline(run, worker):
    begin = time.monotonic()
    with pytest.raises(ProcessesFailed, match=worker.__name__):
        run(scheduled.of(worker))
    assert time.monotonic() - begin < 3
    assert active_children() == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")
def test_replays_and_free_runs_leave_no_files_open_and_no_shared_memory():
    def run_some():
        replay(interleavings.additions(1), [0])
        sample(Scenario(scheduled.dict_methods, raises=(KeyError,)), 2, "fork")
        # processes and what they share are in cycles
        gc.collect()
        shared = [name for name in os.listdir("/dev/shm") if str(os.getpid()) in name]
        return len(os.listdir("/proc/self/fd")), shared

    run_some()
    assert run_some() == run_some()


def test_a_worker_from_a_notebook_cell_is_refused_before_anything_starts():
    program = (
        "from helpers.scheduling import explore, replay\n"
        "def tick(number):\n"
        "    number.value += 1\n"
        "    yield\n"
        "def scenario(objects):\n"
        "    return [(tick, (objects.integer('number'),))]\n"
        "assert explore(scenario).outcomes == {1: 1}\n"
        "try:\n"
        "    replay(scenario, [0])\n"
        "except TypeError as error:\n"
        "    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert "must be a function at the top of a module" in ran.stdout and ran.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_worker_processes_end_when_the_kernel_is_killed():
    program = (
        "from helpers.scheduling import keep_workers, replay\n"
        "from tests import scheduled\n"
        "if __name__ == '__main__':\n"
        "    with keep_workers():\n"
        "        real = replay(scheduled.dict_methods, [0])\n"
        "        print(*(process.pid for process in real.trace.processes), flush=True)\n"
        "        input()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 1
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    until = time.monotonic() + 5
    while any(map(is_running, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(is_running, pids))


def is_running(pid):
    """Tell whether a process of somebody else's is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
