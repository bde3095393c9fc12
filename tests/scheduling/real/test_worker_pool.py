"""Worker processes: kept, ended, reported, and nothing left of them."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import active_children
from multiprocessing.process import BaseProcess

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import (
    Scenario,
    keep_workers,
    replay,
    sample,
)
from helpers.scheduling.real.worker_pool import ReadyWorkers
from helpers.supervision.runtime_folder import runtime_folder
from helpers.supervision.supervisor import ProcessesFailed, current_supervisor
from tests import scheduled


def test_worker_processes_are_kept_within_a_block_and_end_with_it():
    scenario = interleavings.increments()
    with keep_workers():
        pids = [{process.pid for process in replay(scenario, [0, 1]).trace.processes} for _ in range(3)]
        assert len(active_children()) == 2
    assert pids[0] == pids[1] == pids[2]
    assert active_children() == []


def test_a_deadline_holds_where_workers_are_kept_and_the_block_goes_on():
    scenario = interleavings.increments()
    with keep_workers(deadline=30):
        before = pids_of(replay(scenario, [0, 1]))
        begin = time.monotonic()
        with pytest.raises(ProcessesFailed, match="within its deadline of 0.6 s(.|\n)*hang_in_children_only"):
            replay(scheduled.of(scheduled.hang_in_children_only), [0], deadline=0.6)
        assert time.monotonic() - begin < 3
        assert pids_of(replay(scenario, [0, 1])) == before
    assert active_children() == []


def pids_of(real):
    return {process.pid for process in real.trace.processes}


@pytest.fixture
def ready():
    """Keep workers without a block around them."""
    workers = ReadyWorkers()
    yield workers
    workers.close()
    assert active_children() == []


def test_ready_workers_are_kept_with_no_block_open(ready):
    scenario, pids = interleavings.increments(), []
    for schedule in ([0, 1], [0, 1, 0, 1], []):
        with ready.in_use():
            pids.append(pids_of(replay(scenario, schedule)))
        assert current_supervisor() is None and BaseProcess.start.__module__ == "multiprocessing.process"
    assert pids[0] == pids[1] == pids[2] == {process.pid for process in active_children()}


def test_ready_workers_serve_scenarios_with_a_manager(ready):
    scenario = Scenario(scheduled.dict_methods, raises=(KeyError,))
    with ready.in_use():
        first = replay(scenario, [0])
    with ready.in_use():
        assert pids_of(replay(scenario, [0])) == pids_of(first)


def test_ready_workers_end_when_nobody_needs_them_for_a_while():
    workers = ReadyWorkers(idle=0.1)
    with workers.in_use():
        replay(interleavings.increments(), [0, 1])
    assert_ends(lambda: active_children())


def test_ready_workers_of_another_scenario_take_their_place(ready):
    with ready.in_use():
        replay(interleavings.increments(3), [0])
        assert pids_of(replay(synchronisation.philosophers(2), [0])) == {child.pid for child in active_children()}


def test_a_ready_worker_that_died_is_replaced(ready):
    with ready.in_use():
        replay(interleavings.increments(), [0, 1])
    child = active_children()[0]
    child.kill()
    child.join(5)
    with ready.in_use():
        assert replay(interleavings.increments(), [0, 1]).steps
    assert child.pid not in {process.pid for process in active_children()}


@pytest.mark.parametrize(
    ("worker", "deadline"), [(scheduled.hang_in_children_only, 0.4), (scheduled.die, 10)], ids=["deadline", "death"]
)
def test_ready_workers_end_with_a_call_that_fails(ready, worker, deadline):
    with ready.in_use(), pytest.raises(ProcessesFailed, match=worker.__name__):
        replay(scheduled.of(worker), [0], deadline=deadline)
    assert active_children() == []


@pytest.mark.skipif(os.name != "posix", reason="sends itself Ctrl-C as a signal")
def test_ready_workers_end_with_an_interrupt(ready):
    scenario = scheduled.of(scheduled.hang_in_children_only)
    with ready.in_use():
        replay(scenario, [])
    # as long as a process hangs, the call waits for it
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), ready.in_use():
        replay(scenario, [0], deadline=20)
    assert active_children() == [] and current_supervisor() is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")
def test_ready_workers_leave_no_files_open_and_no_shared_memory(ready):
    def run_some():
        with ready.in_use():
            replay(interleavings.additions(2), [0, 1])
            sample(interleavings.additions(2), 2)
        open_files = len(os.listdir("/proc/self/fd"))
        ready.close()
        # processes and what they share are in cycles
        gc.collect()
        shared = [name for name in os.listdir("/dev/shm") if str(os.getpid()) in name]
        return open_files, len(os.listdir("/proc/self/fd")), shared, os.listdir(runtime_folder())

    run_some()
    assert run_some() == run_some()


READY = (
    "from helpers.scheduling import replay\n"
    "from helpers.scheduling.real.worker_pool import ReadyWorkers\n"
    "from tests import scheduled\n"
    "if __name__ == '__main__':\n"
    "    ready = ReadyWorkers()\n"
    "    with ready.in_use():\n"
    "        real = replay(scheduled.dict_methods, [0])\n"
    "    print(*(process.pid for process in real.trace.processes), flush=True)\n"
)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("end", ["exit", "kill"])
def test_ready_workers_end_with_the_kernel(end):
    program = READY + ("    input()\n" if end == "kill" else "")
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 1
    if end == "kill":
        parent.send_signal(signal.SIGKILL)
    _, errors = parent.communicate(timeout=20)
    assert end == "kill" or errors == ""
    assert_ends(lambda: any(map(is_running, pids)))


def assert_ends(holds):
    """Wait for something to end, at most five seconds."""
    until = time.monotonic() + 5
    while holds() and time.monotonic() < until:
        time.sleep(0.01)
    assert not holds()


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


@pytest.mark.thorough
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
    assert_ends(lambda: any(map(is_running, pids)))


def is_running(pid):
    """Tell whether a process of somebody else's is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
