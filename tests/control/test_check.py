"""What `check` finds in programs that nobody prepared, and what it says of it."""

import contextlib
import functools
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from multiprocessing import get_all_start_methods
from pathlib import Path

import pytest

from helpers.control import CannotCheck, check, protocol, rerun, run, template_process
from helpers.control.probes import everything
from helpers.control.strategies import Search
from helpers.recording.kinds import Outcome
from helpers.supervision.runtime_folder import runtime_folder
from tests.control import misbehaviour, programs
from tests.control.programs import PAIRS

METHODS = [method for method in ("fork", "forkserver", "spawn") if method in get_all_start_methods()]
QUICK = METHODS[0]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="controlled programs are forked")

each_method = pytest.mark.parametrize("method", METHODS)


def of(program, method=QUICK, **options):
    return functools.partial(program, method=method, **options)


@pytest.mark.parametrize(
    "name, method",
    # a fork server hands over what a child gets as spawn does
    [(name, method) for method in METHODS for name in (list(PAIRS)[:3] if method == "forkserver" else PAIRS)],
)
def test_a_wrong_program_is_found_wrong(name, method):
    wrong, _, right_outcome, reason = PAIRS[name]
    result = check(of(wrong, method), lambda outcome: outcome == right_outcome)
    assert not result
    assert result.failure.reason == reason
    assert result.runs <= 500


@pytest.mark.parametrize(
    "name, method",
    [(name, QUICK) for name in PAIRS] + [(name, method) for method in METHODS[1:] for name in list(PAIRS)[:3]],
)
def test_its_repaired_twin_has_no_failure(name, method):
    _, repaired, right_outcome, _ = PAIRS[name]
    result = check(of(repaired, method), lambda outcome: outcome == right_outcome)
    assert result.failure is None
    assert result.exhausted >= 2
    assert set(result.outcomes) == {right_outcome}


@each_method
def test_the_textbook_counter_is_found_wrong_within_20_runs(method):
    result = check(of(programs.five_counters, method), lambda total: total == 5)
    assert result.failure.outcome < 5
    assert result.runs <= 20


@each_method
def test_a_failing_schedule_fails_every_time(method):
    program = of(programs.lost_update, method)
    schedule = check(program, lambda total: total == 2).failure.schedule
    told = []
    again = rerun(program, schedule, lambda total: total == 2, times=5, progress=told.append)
    assert told == [1, 2, 3, 4, 5]
    assert (again.runs, again.outcomes) == (5, {1: 5})
    assert again.failure.schedule == schedule
    assert "5 runs in" in repr(again) and "and each one failed" in repr(again)


def test_a_schedule_is_not_repeated_beyond_the_deadline():
    program = of(programs.lost_update)
    again = rerun(program, check(program, lambda total: total == 2).failure.schedule, times=10**6, deadline=2)
    assert 1 <= again.runs < 10**6
    assert again.outcomes == {1: again.runs}


def test_when_no_run_ends_in_time_that_is_said():
    with pytest.raises(CannotCheck, match="not one run ended within the deadline of 0.001 s"):
        rerun(of(programs.lost_update), ("main",), deadline=0.001)


def test_runs_of_one_schedule_that_do_not_end_alike_are_not_counted(tmp_path):
    with pytest.raises(CannotCheck, match="the same schedule came to the outcome"):
        rerun(of(misbehaviour.counts_its_runs, note=tmp_path / "note"), ("main",), times=2)


def test_all_outcomes_of_a_counter_are_found_with_few_runs():
    result = check(of(programs.five_counters), strategy="all")
    assert set(result.outcomes) == {1, 2, 3, 4, 5}
    assert result.runs < 30
    assert result.exhausted > 2


@pytest.mark.parametrize("program", [programs.words_in_list, programs.words_in_queue], ids=lambda each: each.__name__)
def test_changes_of_a_managed_object_with_other_arguments_are_told_apart(program):
    outcomes = check(of(program), strategy="all").outcomes
    assert len(outcomes) == math.comb(6, 3)
    assert all(sorted(outcome) == list("aaabbb") for outcome in outcomes)


@pytest.mark.parametrize("strategy", ["random", "pct"])
def test_schedules_by_chance_are_the_same_for_the_same_seed(strategy):
    program = of(programs.lost_update)
    one, other = (check(program, lambda total: total == 2, strategy=strategy, seed=3) for _ in range(2))
    assert one.failure.schedule == other.failure.schedule
    assert (one.runs, one.outcomes) == (other.runs, other.outcomes)


@pytest.mark.parametrize("strategy", ["random", "pct"])
def test_a_failure_that_chance_has_found_is_shrunk(strategy):
    result = check(of(programs.lost_update), lambda total: total == 2, strategy=strategy)
    assert result.failure.preemptions == 1
    assert result.exhausted is None


def test_a_failure_that_chance_has_found_is_kept_when_there_is_no_time_to_shrink_it(monkeypatch):
    def have_no_time(search):
        raise run.OutOfTime

    monkeypatch.setattr(Search, "next_schedule", have_no_time)
    result = check(of(programs.lost_update), lambda total: total == 2, strategy="random")
    assert result.failure.outcome == 1


def test_without_holds_every_outcome_is_right():
    result = check(of(programs.lost_update))
    assert result
    assert set(result.outcomes) == {1, 2}


# -- the story -------------------------------------------------------------------------------------------------------


def test_a_lost_update_is_told_with_process_line_operation_and_value():
    failure = check(of(programs.lost_update), lambda total: total == 2).failure
    line = f"programs.py, line {programs.add_one.__code__.co_firstlineno + 1}"
    assert f"read Value 1: 0  ({line})" in failure.story
    assert f"write Value 1: 1  ({line})" in failure.story
    assert "both read Value 1 before either wrote" in failure.conflict


def test_writes_to_two_items_of_an_array_are_not_said_to_undo_each_other():
    failure = check(of(programs.add_up_apart), lambda total: total == 5).failure
    assert failure.outcome == 4
    assert "both read Array 1 before either wrote: what the later one writes rests on an old" in failure.conflict
    assert all(event.outcome is not Outcome.LOST_UPDATE for event in failure.trace.events)


def test_who_reads_once_more_before_he_writes_loses_no_update():
    conflict = check(of(programs.sell_the_last), lambda left: left == 0).failure.conflict
    assert "undo" not in conflict and re.search("was stopped between read .* did write Value 1", conflict), conflict


def test_a_deadlock_says_who_waits_for_what_that_who_holds():
    conflict = check(of(programs.lock_order)).failure.conflict
    line = programs.transfer.__code__.co_firstlineno + 1
    assert f"ForkProcess-1 waits in acquire for Lock 2, held by ForkProcess-2 (line {line})" in conflict
    assert f"ForkProcess-2 waits in acquire for Lock 1, held by ForkProcess-1 (line {line})" in conflict
    assert "main waits for the end of ForkProcess-1" in conflict


def test_a_child_that_cannot_end_says_that_nobody_reads_what_it_has_put():
    conflict = check(of(programs.join_before_get)).failure.conflict
    assert "ForkProcess-1 waits for the end of feeder, at its own end" in conflict
    assert "ForkProcess-1 feeder waits for somebody to read Queue 1, whose pipe is full" in conflict


def test_the_trace_has_a_lane_for_each_process_and_an_arrow_for_each_message():
    failure = check(of(programs.empty_believed), lambda count: count == 3).failure
    assert [process.name for process in failure.trace.processes] == ["main", "ForkProcess-1"]
    failure = check(of(programs.pill_too_few)).failure
    assert {(message.sent.kind, message.received.kind) for message in failure.trace.messages} == {("put", "get")}
    assert {str(event.kind) for event in failure.trace.events if event.outcome.is_failure} == {"join", "get"}


def test_a_failed_check_shows_its_story_in_an_assertion():
    result = check(of(programs.lost_update), lambda total: total == 2)
    with pytest.raises(AssertionError, match="both read Value 1 before either wrote"):
        assert result, repr(result)


def test_a_passed_check_says_what_it_proves_and_what_not():
    words = repr(check(of(programs.no_lost_update), lambda total: total == 2))
    assert "Every schedule with up to 2 preemptions was tried" in words
    assert "out of its sight" in words


# -- programs that misbehave -----------------------------------------------------------------------------------------


@each_method
@pytest.mark.parametrize(
    "program, words",
    [
        (misbehaviour.child_leaves, "child left with exit code 3"),
        (misbehaviour.child_is_killed, "child was killed by SIGKILL"),
        (misbehaviour.child_fails, "ValueError: the worker's own words (misbehaviour.py, line"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_crash_says_who_and_how(program, words, method):
    failure = check(of(program, method)).failure
    assert failure.reason == "crash"
    assert words in failure.conflict


@pytest.mark.parametrize(
    "program, words",
    [
        (misbehaviour.program_leaves, "main left with exit code 4"),
        (misbehaviour.program_fails, "KeyError: 'nothing there' (misbehaviour.py, line"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_program_that_crashes_itself_says_how(program, words):
    failure = check(program).failure
    assert failure.reason == "crash"
    assert words in failure.conflict


def test_a_loop_without_an_operation_is_named_with_its_line(monkeypatch):
    monkeypatch.setattr(run, "_STEP_DEADLINE", 1.0)
    failure = check(of(misbehaviour.child_loops)).failure
    first = misbehaviour.loop_for_ever.__code__.co_firstlineno
    assert failure.reason == "livelock"
    assert "child has come to no operation" in failure.conflict
    # the loop has two lines, and either may be under way
    places = [f"loop_for_ever, misbehaviour.py, line {first + line}" for line in (1, 2)]
    assert any(place in failure.conflict for place in places)


def test_waiting_for_what_nobody_will_change_is_a_livelock():
    failure = check(of(misbehaviour.everybody_waits_for_nothing)).failure
    assert failure.reason == "livelock" and failure.execution.is_idle
    assert "steps changed nothing" in failure.conflict


def test_a_program_that_changes_something_again_and_again_is_stopped_after_so_many_steps():
    failure = check(of(misbehaviour.counts_for_ever), steps=50).failure
    assert failure.reason == "livelock" and not failure.execution.is_idle
    assert "50 steps did not come to an end" in failure.conflict


@pytest.mark.parametrize("trusts_first, runs", [(False, 5), (True, 1)])
def test_a_failure_of_the_first_run_is_repeated_unless_it_is_trusted(monkeypatch, trusts_first, runs):
    performed = []
    perform = run.Run.perform
    monkeypatch.setattr(run.Run, "perform", lambda *args: performed.append(args) or perform(*args))
    result = check(of(programs.lost_update), lambda total: total == 3, trusts_first=trusts_first)
    assert result.failure and result.runs == 1
    assert len(performed) == runs


@each_method
def test_a_process_that_the_program_itself_ends_is_no_crash(method):
    assert set(check(of(misbehaviour.terminated_child, method)).outcomes) == {-15}


def test_nobody_gets_the_lock_of_a_dead_process():
    result = check(of(misbehaviour.lock_of_the_dead))
    assert result.failure.reason in ("crash", "deadlock")


@each_method
def test_a_process_that_the_program_itself_kills_is_no_crash(method):
    assert set(check(of(misbehaviour.kills_its_child, method)).outcomes) == {-9}


def test_a_daemon_may_have_ended_before_its_parent_does_or_be_ended_by_it():
    result = check(of(misbehaviour.daemon_of_a_sleeper))
    assert result.exhausted >= 2
    assert set(result.outcomes) == {0, 1}


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="elsewhere it is not seen who died first")
def test_the_death_of_the_first_process_is_its_own_and_not_its_killers():
    failure = check(of(misbehaviour.child_kills_its_parent)).failure
    assert failure.reason == "crash"
    assert "main was killed by" in failure.conflict


def test_why_a_program_exits_is_part_of_the_story():
    assert "there is no such bank" in check(misbehaviour.says_why_it_exits).failure.story


def test_an_error_is_shown_from_the_programs_own_line_on():
    story = check(misbehaviour.program_fails).failure.story
    assert "misbehaviour.py" in story
    assert "helpers" not in story


def test_a_program_that_depends_on_more_than_the_schedule_is_not_judged():
    with pytest.raises(CannotCheck, match="depends on more than the schedule"):
        check(of(misbehaviour.draws))


@pytest.mark.parametrize(
    "program, words",
    [
        (of(misbehaviour.uses_a_thread), "thread Thread-1.* use Process or Pool there"),
        (misbehaviour.forks_by_itself, "calls os.fork itself.*start it with multiprocessing"),
    ],
    ids=["threads", "fork"],
)
def test_what_control_cannot_schedule_is_refused(program, words):
    with pytest.raises(CannotCheck, match=words):
        check(program)


def test_an_outcome_that_cannot_be_counted_is_refused():
    with pytest.raises(CannotCheck, match=r"hashable.*not \[1\]"):
        check(misbehaviour.returns_a_list)


def test_an_outcome_of_any_size_is_counted_and_shown_in_short():
    result = check(misbehaviour.returns_much)
    assert set(result.outcomes) == {b"x" * 1_000_000}
    assert len(repr(result)) < 1000


def test_arguments_of_any_size_reach_the_program():
    assert set(check(functools.partial(misbehaviour.size_of, b"x" * 300_000)).outcomes) == {300_000}


def test_nothing_stays_when_no_process_can_be_started(monkeypatch):
    check(of(programs.no_lost_update), runs=1)  # so that the folder for all checks is there
    before = set(runtime_folder().iterdir())
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CannotCheck, match="no process can be started"):
        check(of(programs.no_lost_update))
    assert set(runtime_folder().iterdir()) == before


def test_messages_that_differ_in_every_run_do_not_hide_the_schedule():
    result = check(of(misbehaviour.sends_its_pid), lambda count: count == 2)
    assert result
    assert result.exhausted == 2


def test_orders_that_differ_only_in_plain_memory_are_told_apart():
    assert set(check(of(misbehaviour.raw_memory)).outcomes) == {1, 2}


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="looks into /dev/shm")
@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
@pytest.mark.parametrize(
    "program, reason", [(misbehaviour.waits_for_itself, "deadlock"), (misbehaviour.leaves_a_lock, "crash")]
)
def test_no_semaphore_stays_of_a_program_that_does_not_put_it_away(program, reason, method, tmp_path):
    note = tmp_path / "name"
    assert check(functools.partial(program, note, method)).failure.reason == reason
    assert not Path("/dev/shm", f"sem.{note.read_text().removeprefix('/')}").exists()


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_no_process_stays_of_a_program_that_leaves_some_behind(tmp_path):
    note = tmp_path / "pid"
    assert check(functools.partial(misbehaviour.child_leaves_a_grandchild, note, QUICK))
    until = time.monotonic() + 10
    while Path("/proc", note.read_text()).exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path("/proc", note.read_text()).exists()


# -- programs that cannot be imported --------------------------------------------------------------------------------


@each_method
def test_a_local_function_can_be_checked(method):
    result = check(lambda: programs.lost_update(method), lambda total: total == 2)
    assert result.failure.outcome == 1


def test_objects_that_all_runs_of_a_local_function_would_share_are_refused():
    from multiprocessing import Lock

    shared = Lock()

    def program():
        with shared:
            return 1

    with pytest.raises(CannotCheck, match="Lock that was made before it began"):
        check(program)


def test_modules_of_the_program_are_fresh_in_every_run(tmp_path):
    script = tmp_path / "counting.py"
    script.write_text(
        "from multiprocessing import Process, Value, set_start_method\n"
        f"set_start_method({QUICK!r}, force=True)\n"
        "total = Value('i', 0)\n"
        "def add():\n"
        "    total.value += 1\n"
        "def program():\n"
        "    child = Process(target=add)\n"
        "    child.start()\n"
        "    child.join()\n"
        "    return total.value\n"
        "if __name__ == '__main__':\n"
        "    from helpers.control import check\n"
        "    print(check(program).outcomes)\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.stdout.startswith("{1: "), done.stderr


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, words",
    [
        ({"runs": 0}, "runs must be from 1"),
        ({"strategy": "luck"}, "strategy must be one of bounded, random, pct, all"),
        ({"grain": "byte"}, "grain must be one of operation, line"),
        ({"deadline": 0}, "deadline must be above 0"),
        ({"seed": -1}, "seed must be from 0"),
    ],
)
def test_bad_arguments_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        check(of(programs.lost_update), **options)


def test_a_program_must_be_callable():
    with pytest.raises(TypeError, match="program must be a function without arguments, not 3"):
        check(3)


def test_a_schedule_that_is_not_possible_is_named():
    with pytest.raises(CannotCheck, match="in step 2 it was the turn of ForkProcess-1"):
        rerun(of(programs.lost_update, "fork"), ("main", "ForkProcess-1"))


def test_a_check_ends_with_its_deadline():
    begin = time.monotonic()
    result = check(of(programs.five_counters), strategy="random", runs=100_000, deadline=2)
    assert time.monotonic() - begin < 20
    assert result.runs < 100_000


MOVING_NUMBERS = """
import os, select
from helpers.control.protocol import Link
from helpers.control.template_process import Template
import socket

ours, theirs = socket.socketpair()
reader, writer = os.pipe()
template = Template(Link(theirs), "", lambda: os.write(writer, b"."))
template._prepare_run()
os.dup(reader)  # takes the number that the pipe of the next run would have had
template._begin_run()
template._begin_run()
began = b""
while len(began) < 2 and select.select([reader], [], [], 20)[0]:
    began += os.read(reader, 1)
template._kill_all()
print(began)
"""


def test_the_next_run_begins_whatever_number_its_file_gets():
    done = subprocess.run([sys.executable, "-c", MOVING_NUMBERS], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("b'..'\n", "")


# a program that no other process can import
CHECKS_FOR_LONG = """
from helpers.control import check

def program():
    print("it runs", file=open(3, "w", closefd=False), flush=True)
    while True:
        pass

check(program)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_no_process_outlives_one_that_was_killed_while_it_checked():
    mark = f"TALKING_PROCESSES_TEST={time.monotonic_ns()}"
    reader, told = os.pipe()
    command = ["env", mark, sys.executable, "-c", f"import os\nos.dup2({told}, 3)\n{CHECKS_FOR_LONG}"]
    with subprocess.Popen(command, pass_fds=[told]) as checker:
        os.close(told)
        os.read(reader, 1)
        checker.kill()
    until = time.monotonic() + 30
    while (left := with_mark(mark)) and time.monotonic() < until:
        time.sleep(0.05)
    os.close(reader)
    assert left == []


def with_mark(mark):
    """Return the pids of all processes that have this in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def test_a_fork_that_serves_a_program_of_a_cell_takes_no_ctrl_c_that_came_while_it_began(tmp_path):
    ours, theirs = socket.socketpair()
    everything.load()
    pid = os.fork()
    if pid == 0:
        ours.close()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        template_process.main_of_fork(theirs, str(tmp_path), "", nowhere, int, "operation")
    theirs.close()
    ours.settimeout(30)
    link = protocol.Link(ours)
    assert link.receive() == ("ready", 0, 0)
    link.close()
    os.waitpid(pid, 0)
