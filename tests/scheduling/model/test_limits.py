"""What an exploration takes, and how it ends: memory, progress, an interrupt, a worker that computes for ever."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import CannotExplore, deadlock, explore
from helpers.scheduling.model import worker_graph
from helpers.scheduling.model.patience import LostPatience, within
from helpers.scheduling.model.state_store import StateStore
from tests import scheduled


def compute_for_ever(number):
    """Never come to a yield."""
    number.value = 1
    yield
    while True:
        pass


def test_a_state_takes_no_more_than_200_bytes_and_fields_widen_as_needed():
    for scenario, states in [(synchronisation.philosophers(6), 12_671), (scheduled.bounded_queue(8, 300), 5_337)]:
        explored = explore(scenario)
        assert len(explored) == states
        assert explored.bytes / len(explored) < 100
    store = StateStore(explored.model)
    store.grow(None, 10**9, None, 1)
    # more than 256 sums do not fit into 8 bits
    assert max(store._widths) == 16


def test_the_limit_is_memory():
    with pytest.raises(CannotExplore, match=r"philosophers has more states than fit into max_memory=2,000,000 bytes"):
        explore(synchronisation.philosophers(8), max_memory=2_000_000)


def test_progress_is_told_with_an_estimate(monkeypatch):
    monkeypatch.setattr("helpers.scheduling.model.exploration._REPORT_EVERY", 0)
    seen = []
    explored = explore(synchronisation.philosophers(6), progress=seen.append)
    assert [one.states for one in seen] == sorted(one.states for one in seen)
    assert seen[-1].states == seen[-1].estimate == len(explored) and seen[-1].unexplored == 0
    estimates = [one.estimate for one in seen[:-1] if one.estimate]
    # it is no more than an idea of the size
    assert estimates and all(len(explored) / 10 < estimate < len(explored) * 10 for estimate in estimates[-3:])


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_an_interrupt_is_answered_at_once():
    alarm = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    alarm.start()
    with pytest.raises(KeyboardInterrupt):
        explore(synchronisation.philosophers(14))
    alarm.join()


def test_a_deadlock_is_read_off_the_edges(monkeypatch):
    explored = explore(synchronisation.ordered_philosophers(6))
    monkeypatch.setattr(type(explored.model), "look", None)
    assert explored.shortest(deadlock) is None


@pytest.mark.parametrize("is_main", [True, False])
def test_a_worker_that_computes_for_ever_is_stopped_in_any_thread(is_main, monkeypatch):
    monkeypatch.setattr(worker_graph, "MAX_SECONDS", 0.3)
    errors = []

    def attempt():
        try:
            explore(scheduled.of(compute_for_ever))
        except CannotExplore as error:
            errors.append(str(error))

    begin = time.monotonic()
    if is_main:
        attempt()
    else:
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join(30)
    assert "compute_for_ever has computed for 0.3 seconds without a yield" in errors[0]
    assert "of compute_for_ever, in " in errors[0]
    assert time.monotonic() - begin < 20


def test_code_that_catches_everything_is_stopped_too():
    def stubborn():
        for _ in range(2):
            try:
                while True:
                    pass
            except LostPatience:
                continue
        raise LostPatience

    with pytest.raises(LostPatience):
        within(0.1, stubborn)


def test_what_ends_in_time_is_left_alone():
    assert within(5, lambda: 7) == 7
    # a watch that came too late throws nothing later
    for _ in range(50):
        # on a busy machine it comes in time
        with contextlib.suppress(LostPatience):
            within(0.001, lambda: time.sleep(0.002))
    time.sleep(0.5)
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None) in (0, 1)


def test_the_watch_ends_when_there_is_nothing_to_watch():
    explore(scheduled.of(scheduled.within))
    until = time.monotonic() + 20
    while any(thread.name == "watch over a worker" for thread in threading.enumerate()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(thread.name == "watch over a worker" for thread in threading.enumerate())


def test_a_python_without_threads_explores_without_a_watch(monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done = []
    # with a watch of its own, which has not begun yet
    monkeypatch.setattr("helpers.scheduling.model.patience._watches", threading.local())
    done.append(explore(interleavings.increments()).outcomes)
    assert done == [{1: 4, 2: 2}]


def test_a_worker_may_exit_as_an_outcome():
    code = "from helpers.scheduling import explore\nfrom tests.scheduled import of, leave\nexplore(of(leave))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "leave raised SystemExit: 3 at line" in ran.stderr
