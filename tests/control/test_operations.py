"""Every operation on an object of multiprocessing is a switch point, and nothing else is lost by being one."""

import functools
import os
from multiprocessing import get_all_start_methods

import pytest

from helpers.control import check
from tests.control import operations, programs

METHODS = [method for method in ("fork", "forkserver", "spawn") if method in get_all_start_methods()]
QUICK = METHODS[0]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="controlled programs are forked")

# program -> the outcomes of all its schedules with up to two preemptions
OUTCOMES = {
    operations.locks: {(True, False)},
    operations.event: {(True, True), (False, True)},
    operations.array: {(4, 8)},
    operations.duplex_pipe: {(2, "end")},
    operations.both_send_little: {"done"},
    operations.wait_for_two: {"ab", "ba"},
    operations.joinable_queue: {"joined"},
    operations.get_with_timeout: {"item", "empty"},
    operations.full_queue: {("full", 1)},
    operations.managed_objects: {3},
    operations.look_at_child: {(True, 0, False), (False, 0, False)},
}


@pytest.mark.parametrize("program", OUTCOMES, ids=lambda program: program.__name__)
def test_a_program_comes_to_all_its_outcomes_and_to_no_other(program):
    result = check(functools.partial(program, QUICK))
    assert result.failure is None
    assert result.exhausted >= 2
    assert set(result.outcomes) == OUTCOMES[program]


@pytest.mark.parametrize("method", METHODS[1:])
@pytest.mark.parametrize("program", list(OUTCOMES)[:4], ids=lambda program: program.__name__)
def test_the_start_method_makes_no_difference(program, method):
    assert set(check(functools.partial(program, method)).outcomes) == OUTCOMES[program]


def test_two_who_both_send_more_than_a_pipe_holds_wait_for_each_other():
    failure = check(functools.partial(operations.both_send_much, QUICK)).failure
    assert failure.reason == "deadlock"
    assert failure.conflict.count("waits in send for Pipe 1") == 2


def test_a_connection_is_accepted_and_answered(short_folder):
    result = check(functools.partial(operations.listener_and_client, short_folder, QUICK))
    assert set(result.outcomes) == {42}
    assert result.exhausted >= 2


def test_a_client_may_come_before_its_server(short_folder):
    result = check(functools.partial(operations.impatient_client, short_folder, QUICK))
    assert set(result.outcomes) == {42, "nobody there"}


def test_a_barrier_lets_them_leave_in_any_order():
    result = check(functools.partial(operations.barrier, QUICK), runs=10, strategy="random")
    assert set(result.outcomes) == {(0, 1, 2)}


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_is_scheduled_with_its_threads(method):
    result = check(functools.partial(operations.pool_map, method), runs=10)
    assert set(result.outcomes) == {(1, 4, 9)}


def test_the_tasks_of_a_pool_may_end_in_any_order():
    result = check(functools.partial(operations.first_finished, QUICK), runs=40, strategy="random")
    assert set(result.outcomes) == {(1, 4), (4, 1)}


# -- lines: what is shared without an operation ----------------------------------------------------------------------


def test_a_lost_update_in_a_file_is_found_between_lines(tmp_path):
    program = functools.partial(programs.lost_update_in_file, tmp_path / "number", QUICK)
    assert check(program, lambda total: total == 2)
    failure = check(program, lambda total: total == 2, grain="line").failure
    assert failure.reason == "outcome"
    assert failure.outcome == 1


def test_a_lock_round_the_lines_repairs_it(tmp_path):
    program = functools.partial(programs.no_lost_update_in_file, tmp_path / "number", QUICK)
    assert check(program, lambda total: total == 2, grain="line", runs=40)


@pytest.mark.parametrize("kind", ["RawArray", "SharedMemory", "mmap"])
def test_plain_memory_races_between_lines(kind):
    result = check(functools.partial(operations.plain_memory, kind, QUICK), lambda total: total == 2, grain="line")
    assert result.failure.outcome == 1
