"""The life of a process: workers, scripts, and what is seen of children do what the lesson says of them."""

import os
import signal
import sys
from multiprocessing import get_all_start_methods, get_context

import psutil
import pytest

from helpers.lessons import processes
from helpers.lessons.processes import GONE, RUNNING, THREAD, ZOMBIE, Bereaved, ScriptRun
from helpers.show import lanes
from helpers.supervision import expect_failure, supervised

METHODS = get_all_start_methods()
each_method = pytest.mark.parametrize("method", METHODS)

GREETING = """
import sys
from multiprocessing import get_context

def greet():
    print("child: hello")

{guard}
    child = get_context(sys.argv[1]).Process(target=greet)
    child.start()
    child.join()
    print("exit code", child.exitcode)
"""
GUARDED = GREETING.format(guard='if __name__ == "__main__":')
UNGUARDED = GREETING.format(guard="if True:")
SLEEPERS = """
import os, time
from multiprocessing import get_context

def sleep_on():
    print(os.getpid())
    time.sleep({seconds})

if __name__ == "__main__":
    get_context("spawn").Process(target=sleep_on, daemon=True).start()
    time.sleep(30)
"""


@each_method
def test_the_stages_of_a_life_are_told(method):
    ctx = get_context(method)
    with supervised():
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=processes.echo, args=(theirs,))
        assert processes.stage(child) == "has no process id, is alive: False, exit code: None"
        child.start()
        assert processes.stage(child) == "has a process id, is alive: True, exit code: None"
        ours.send("hello")
        assert ours.recv() == "hello"
        child.join()
        assert processes.stage(child) == "has a process id, is alive: False, exit code: 0"


@each_method
def test_a_worker_in_a_module_is_found(method):
    assert processes.try_worker(processes.greet, method) == "hello from the child"


@each_method
def test_a_worker_that_no_module_has_is_found_by_a_copy_only(method, monkeypatch):
    def from_a_cell(connection):
        connection.send("hello from a cell")

    # as in a notebook: the worker is one of __main__, which has no file
    main = sys.modules["__main__"]
    from_a_cell.__module__, from_a_cell.__qualname__ = "__main__", "from_a_cell"
    monkeypatch.setattr(main, "from_a_cell", from_a_cell, raising=False)
    outcome = processes.try_worker(from_a_cell, method)
    answer = processes.QUESTIONS["from_a_cell"].judge(outcome)
    if method == "fork":
        assert (outcome, answer) == ("hello from a cell", "arrives")
    else:
        assert outcome.startswith("AttributeError") and "from_a_cell" in outcome and answer == "fails"


@each_method
def test_a_worker_that_sends_nothing_is_told_of(method):
    assert processes.try_worker(processes.rest, method).startswith("TypeError")


@each_method
def test_a_script_with_the_guard_runs_by_every_method(method):
    run = processes.run_script(GUARDED, method)
    assert str(run) == "child: hello\nexit code 0" and run.exitcode == 0
    assert processes.QUESTIONS["unguarded"].judge(run) == "greets"


@each_method
def test_a_script_without_the_guard_runs_where_the_child_is_a_copy(method):
    run = processes.run_script(UNGUARDED, method)
    if method == "fork":
        assert str(run) == "child: hello\nexit code 0"
    else:
        assert "hello" not in run.said
        assert run.complaint.replace("\n", " ") == (
            "RuntimeError: An attempt has been made to start a new process before the current process has finished its "
            "bootstrapping phase."
        )
        assert processes.QUESTIONS["unguarded"].judge(run) == "refused"


def test_a_script_that_fails_says_its_last_error_without_the_way_there():
    run = processes.run_script("import sys\nprint('begin')\nraise ValueError(sys.argv[1:])", "one", "two")
    assert (str(run), run.exitcode) == ("begin\nValueError: ['one', 'two']", 1)


def test_a_script_that_hangs_is_ended_with_its_children(monkeypatch):
    monkeypatch.setattr(processes, "LONGEST_SCRIPT", 2.0)
    with pytest.raises(processes.subprocess.TimeoutExpired) as caught:
        processes.run_script(SLEEPERS.format(seconds=60))
    child = int(caught.value.output or b"0")
    assert child and processes.look_at_once_ended(child) in (GONE, ZOMBIE)  # a zombie of whoever took it over


def test_a_child_outlives_a_parent_that_is_killed_and_is_then_ended():
    orphan = processes.kill_the_parent(SLEEPERS.format(seconds=60))
    assert orphan.state == RUNNING
    assert str(orphan).startswith("the child is running; its parent was process ")
    assert os.name == "nt" or orphan.parent_is != orphan.parent_was
    assert processes.look_at_once_ended(orphan.pid) in (GONE, ZOMBIE)


def test_a_child_that_has_ended_with_its_parent_is_said_to_be_gone():
    orphan = processes.kill_the_parent(SLEEPERS.format(seconds=0))
    assert orphan.state in (GONE, ZOMBIE) or orphan.parent_is is None
    assert str(Bereaved(7, 5, None, GONE)) == "the child is gone"


def test_a_script_whose_child_prints_nothing_has_nobody_to_look_at():
    with pytest.raises(RuntimeError, match="prints its process id, not ''"):
        processes.kill_the_parent("pass")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no zombies")
@each_method
def test_a_child_is_a_zombie_until_it_is_joined(method):
    child = get_context(method).Process(target=processes.rest, args=(0,))
    child.start()
    # the server of forkserver asks after its children at once, so these are gone
    assert processes.look_at_once_ended(child.pid) in ((GONE, ZOMBIE) if method == "forkserver" else (ZOMBIE,))
    child.join()
    assert processes.look_at(child.pid) == GONE


def test_a_process_that_goes_on_has_not_ended():
    assert processes.look_at(os.getpid()) == RUNNING
    with pytest.raises(TimeoutError, match=f"process {os.getpid()} has not ended within 0.05 s"):
        processes.look_at_once_ended(os.getpid(), within=0.05)


@each_method
@pytest.mark.parametrize(("how", "exitcode"), [("its last line", 0), ("an error", 1), ("sys.exit(3)", 3)])
def test_a_worker_leaves_with_an_exit_code(method, how, exitcode):
    child = get_context(method).Process(target=processes.leave, args=(how,))
    with supervised() if exitcode == 0 else expect_failure():
        child.start()
        child.join()
        assert child.exitcode == exitcode


@each_method
@pytest.mark.parametrize(("end", "number"), [("kill", "SIGKILL"), ("terminate", "SIGTERM")])
def test_a_child_that_is_ended_has_the_number_of_the_signal(method, end, number):
    ctx = get_context(method)
    with expect_failure():
        child = ctx.Process(target=processes.rest, args=(60,))
        child.start()
        getattr(child, end)()
        child.join()
    # Windows knows only one way to end a process, and Python calls it SIGTERM
    assert child.exitcode == -getattr(signal, number if os.name != "nt" else "SIGTERM")


def test_starts_are_timed_by_every_method_beside_a_thread():
    times = processes.start_times(runs=1)
    assert set(times) == {THREAD, *METHODS} and min(times.values()) > 0


@pytest.mark.parametrize(("ratio", "answer"), [(9, "few"), (11, "some"), (101, "more")])
def test_a_start_is_compared_with_that_of_a_thread(ratio, answer):
    asked = processes.QUESTIONS["start_cost"]
    assert asked.judge({THREAD: 0.001, "spawn": 0.001 * ratio}) == answer
    assert answer in asked.because and answer in asked.answers


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("parent: this is my last line\n", "ended"),
        ("child: done. Is my parent still there? True\n", "waits"),
        ("child: done. Is my parent still there? False\n", "alone"),
    ],
)
def test_what_became_of_the_child_is_read_off_what_was_said(said, answer):
    asked = processes.QUESTIONS["last_line"]
    assert asked.judge(ScriptRun(said, "", 0)) == answer
    assert answer in asked.because and answer in asked.answers


@pytest.mark.parametrize("one_by_one", [False, True])
@each_method
def test_the_panel_shows_children_that_work_side_by_side_or_one_by_one(method, one_by_one):
    data, verdict = processes.start_and_join(2, 50, method, one_by_one)
    first, second = [process for process in data["run"].processes if process.name.startswith("child")]
    assert (second.begin > first.end) == one_by_one
    assert verdict.startswith("0.10 s of work in all took ") and "2 children" not in lanes(**data).title


@pytest.mark.parametrize("children", [0, 17])
def test_a_number_of_children_out_of_range_is_refused(children):
    with pytest.raises(ValueError, match=f"children must be from 1 to 16, not {children}"):
        processes.start_and_join(children, 100, "spawn", False)


def test_nothing_of_these_tests_is_left():
    mine = psutil.Process().children(recursive=True)
    assert [child for child in mine if "script.py" in " ".join(child.cmdline())] == []
