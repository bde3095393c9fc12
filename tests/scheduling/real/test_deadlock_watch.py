"""A deadlock of free workers is told from slowness by what they have tried in vain, not by a clock."""

from multiprocessing import get_context

import pytest

from helpers.scheduling.real.worker_main import SharedStatus, _FreeRun
from helpers.scheduling.real.worker_pool import _DeadlockWatch

BOTH = {0: None, 1: None}  # the processes that run


@pytest.fixture
def status():
    return SharedStatus(get_context("spawn"), 2)


def tried(status, *in_vain):
    status.in_vain[:] = in_vain


def test_a_deadlock_takes_a_whole_try_in_vain_of_each_between_two_looks(status):
    watch = _DeadlockWatch(status)
    tried(status, 3, 1)
    assert not watch.look(BOTH), "one look tells nothing"
    assert not watch.look(BOTH), "nobody has tried since"
    tried(status, 4, 3)
    assert not watch.look(BOTH), "the try of the first may have begun before the first look"
    tried(status, 5, 3)
    assert watch.look(BOTH)


def test_who_has_not_tried_in_vain_may_go_on(status):
    watch = _DeadlockWatch(status)
    tried(status, 3, 0)
    assert not watch.look(BOTH)
    tried(status, 9, 2)
    assert not watch.look(BOTH), "the second was at work when the first look was taken"


def test_who_has_got_what_it_waited_for_has_changed_something(status):
    watch = _DeadlockWatch(status)
    tried(status, 1, 1)
    watch.look(BOTH)
    status.waits[1] += 1
    tried(status, 9, 9)
    assert not watch.look(BOTH)


def test_tries_in_vain_are_those_since_the_last_success(status):
    run = _FreeRun(1, [], status)
    run.process = None
    seen = []

    def attempt(seconds):
        seen.append((status.waits[1], status.in_vain[1]))
        return len(seen) == 3

    assert run.wait(attempt, None)
    assert seen == [(0, 0), (0, 1), (0, 2)]
    assert (status.waits[1], status.in_vain[1]) == (1, 0)
