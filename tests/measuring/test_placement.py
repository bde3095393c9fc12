"""Placement: where two processes ran is looked up, counted, and said in words."""

import os
from multiprocessing import get_context

import pytest

from helpers.measuring import placement
from helpers.measuring.mechanisms import PIPE_BYTES
from helpers.measuring.placement import Placement
from helpers.measuring.timing import round_trips
from helpers.supervision.supervisor import supervised

spawn = get_context("spawn")
can_choose = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not let choose a core")


@pytest.fixture
def cores():
    """Return the cores that this process may use, and let it use them all again afterwards."""
    allowed = os.sched_getaffinity(0)
    yield sorted(allowed)
    os.sched_setaffinity(0, allowed)


def stay_on(core, line):
    os.sched_setaffinity(0, {core})
    line.send("there")
    line.recv()


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Placement(3, 0), "on one core"),
        (Placement(0, 3), "on two cores"),
        (Placement(1, 3), "on one core 25 % of the time, else on two"),
        (Placement(), "on cores that cannot be seen here"),
    ],
)
def test_it_is_said_in_words(seen, words):
    assert str(seen) == words


def test_looks_add_up():
    assert sum([Placement(1, 0), Placement(0, 1), Placement(0, 1)], Placement()) == Placement(1, 2)


@can_choose
def test_two_processes_are_seen_on_one_core_and_on_two(cores):
    if len(cores) < 2:
        pytest.skip("there is only one core here")
    with supervised(20):
        ours, theirs = spawn.Pipe()
        child = spawn.Process(target=stay_on, args=(cores[1], theirs))
        child.start()
        assert ours.recv() == "there"
        os.sched_setaffinity(0, {cores[0]})
        assert placement.look(child.pid) == Placement(on_two=1)
        os.sched_setaffinity(0, {cores[1]})
        assert placement.look(child.pid) == Placement(on_one=1)
        ours.send("done")


@can_choose
def test_a_measurement_says_where_it_was_made(cores):
    os.sched_setaffinity(0, {cores[0]})
    measured = round_trips(PIPE_BYTES, [10, 100], pairs=1, budget=0.05)
    assert str(measured.placement) == "on one core"


def test_where_the_system_hides_it_nothing_is_claimed():
    assert placement.look(2**30) == (Placement(on_one=1) if os.cpu_count() == 1 else Placement())
