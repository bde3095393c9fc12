"""Ctrl-C at any moment: a block is never left half open, and the interrupt is never lost."""

import contextlib
import functools
import multiprocessing.process
import os
import signal
import sys
import threading
import time
import weakref
from multiprocessing import (
    active_children,
    current_process,
    get_context,
    resource_tracker,
    shared_memory,
    util,
)
from multiprocessing.pool import Pool
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.synchronize import SemLock
from pathlib import Path

import psutil
import pytest

from helpers.recording import probes, recorder
from helpers.recording.log import Log
from helpers.recording.probes import calls
from helpers.recording.recorder import record
from helpers.supervision import interrupts, start_hooks, supervisor
from helpers.supervision.left_behind import SHARED_MEMORY
from helpers.supervision.supervisor import ProcessesFailed, expect_failure, supervised
from tests import misbehaviour as worker

posix_only = pytest.mark.skipif(os.name == "nt", reason="the test sends a POSIX signal")
INSTRUMENTS = (str(Path(supervisor.__file__).parent), str(Path(recorder.__file__).parent))
PLAIN_START = BaseProcess.start


@contextlib.contextmanager
def each_line(reach, is_meant):
    """Call `reach` with code and number of each line that the main thread comes to in code that is meant."""

    def on_call(frame, event, _):
        return on_line if is_meant(frame.f_code) else None

    def on_line(frame, event, _):
        if event == "line":
            reach((frame.f_code, frame.f_lineno))
        return on_line

    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(None)


def is_instrument(code):
    return code.co_filename.startswith(INSTRUMENTS)


def lines_of(block, is_meant=is_instrument):
    """Return each line that the block reaches in code that is meant, once, in their order."""
    lines = {}
    with each_line(lines.setdefault, is_meant):
        block()
    return list(lines)


def interrupt_at(line, block):
    """Send Ctrl-C when the block comes to a line for the first time; it must not go on to its end."""
    code, number = line

    def reach(reached):
        # a forked child inherits this function
        if reached == line and os.getpid() == ours:
            sys.settrace(None)
            sent.append(line)
            signal.raise_signal(signal.SIGINT)

    ours, sent = os.getpid(), []
    with contextlib.suppress(KeyboardInterrupt), each_line(reach, lambda each: each is code):
        block()
        assert not sent, f"the interrupt at {code.co_filename}:{number} was lost"


def empty_block():
    with supervised(5):
        pass


def nested_blocks():
    with supervised(5), supervised(5):
        pass


def recorded_block():
    with record(5):
        pass


def forked_child():
    with supervised(5):
        get_context("fork").Process(target=worker.end_well).start()


def recorded_child():
    with record(5):
        child = get_context("fork").Process(target=worker.end_well)
        child.start()
        child.join()


def expected_failure():
    with expect_failure(5):
        get_context("fork").Process(target=worker.exit_at_once, args=(3,)).start()


def everything_is_as_before():
    assert BaseProcess.start is PLAIN_START
    assert supervisor._supervisors == [] and interrupts._signals.listeners == [] and start_hooks._hooks == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(interrupts.NUDGE) in (signal.SIG_DFL, signal.default_int_handler)
    assert not probes.is_attached() and not calls.is_inside()
    assert not [thread for thread in threading.enumerate() if thread.name == "supervisor"]
    assert active_children() == []
    assert not interrupts.is_waiting()


@posix_only
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="children are forked here")
@pytest.mark.parametrize(
    "block", [empty_block, nested_blocks, recorded_block, forked_child, recorded_child, expected_failure]
)
def test_an_interrupt_at_any_line_ends_the_block_and_is_raised_once(block):
    lines = lines_of(block)
    assert len(lines) > 50
    # some of them: `make campaign` takes every one
    for line in lines[:: 1 + len(lines) // 40]:
        interrupt_at(line, block)
        everything_is_as_before()


def pool_that_is_forgotten():
    with supervised(5):
        get_context("fork").Pool(1).map(abs, [-1])


@posix_only
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="children are forked here")
def test_a_pool_is_made_and_put_away_in_one_piece():
    """Half a pool would go on starting workers, and half a finalizer leave semaphores behind."""
    functions = [Pool.__init__.__code__, util.Finalize.__call__.__code__]
    for line in lines_of(pool_that_is_forgotten, functions.__contains__):
        interrupt_at(line, pool_that_is_forgotten)
        everything_is_as_before()
        for thread in threading.enumerate():
            if "worker" in thread.name:
                thread.join(10)  # half a pool's would never end
                assert not thread.is_alive()


@posix_only
def named_things():
    with supervised(20):
        get_context("spawn").Lock()
        block = SharedMemory(create=True, size=1)
        try:
            block.close()
        finally:
            block.unlink()


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="what has a name cannot be listed here")
def test_nothing_has_a_name_in_the_system_that_nobody_knows(monkeypatch):
    """The resource tracker removes what it knows of; an interrupt must not come before it is told."""
    known, mark = set(), f"tp{os.getpid()}"
    monkeypatch.setitem(current_process()._config, "semprefix", f"/{mark}")
    monkeypatch.setattr(shared_memory, "_SHM_NAME_PREFIX", f"/{mark}")
    for name, change in [("register", known.add), ("unregister", known.discard)]:
        plain = getattr(resource_tracker, name)
        note = functools.partial(lambda plain, change, *what: (change(what), plain(*what)), plain, change)
        monkeypatch.setattr(resource_tracker, name, note)
    functions = [SemLock.__init__.__code__, SharedMemory.__init__.__code__, SharedMemory.unlink.__code__]
    for line in lines_of(named_things, functions.__contains__):
        interrupt_at(line, named_things)
        left = {path.name.removeprefix("sem.") for path in SHARED_MEMORY.glob(f"*{mark}*")}
        assert left == {name.removeprefix("/") for name, _ in known}, f"after an interrupt at {line}"
        for name, kind in list(known):
            resource_tracker._CLEANUP_FUNCS[kind](name)
            resource_tracker.unregister(name, kind)


def test_an_interrupt_while_a_block_waits_for_its_children_is_raised():
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), supervised(10) as block:
        child = get_context("spawn").Process(target=worker.interrupt_the_parent_alone)
        child.start()
    assert time.monotonic() - began < 9
    assert block.reports[0].stopped


@posix_only
def test_an_interrupt_that_came_while_a_block_opened_is_raised_in_it(monkeypatch):
    def interrupted_open(self):
        signal.raise_signal(signal.SIGINT)
        return plain_open(self)

    plain_open = supervisor.Supervisor._open
    monkeypatch.setattr(supervisor.Supervisor, "_open", interrupted_open)
    with pytest.raises(KeyboardInterrupt), supervised(5):
        opened = True
        time.sleep(5)
    assert opened


@posix_only
def test_an_interrupt_while_a_stack_of_contexts_closes_a_block_is_raised():
    went_on = False
    with pytest.raises(KeyboardInterrupt):
        with contextlib.ExitStack() as stack:
            stack.enter_context(supervised(10))
            get_context("spawn").Process(target=worker.interrupt_the_parent_alone).start()
        went_on = True
    assert not went_on and not interrupts.is_waiting()


class Collected:
    """Something that a weak reference may refer to."""


@posix_only
def test_an_interrupt_that_python_swallows_is_raised_again(capsys):
    """Whatever is raised in the callback of a weak reference, Python ignores."""
    with pytest.raises(KeyboardInterrupt), supervised(10):
        collected = Collected()
        reference = weakref.ref(collected, lambda _: signal.raise_signal(signal.SIGINT))
        del collected
        time.sleep(10)
    assert reference() is None
    assert "ignored" not in capsys.readouterr().err


def test_an_interrupt_that_python_swallows_after_a_block_is_raised_again(capsys):
    """What the block has used may be collected when it is over."""
    with supervised(10):
        collected = Collected()
    reference = weakref.ref(collected, lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        del collected
        time.sleep(10)
    assert reference() is None
    assert "ignored" not in capsys.readouterr().err
    everything_is_as_before()


def test_no_call_is_under_way_in_a_thread_that_was_interrupted_while_its_entry_was_written(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), record(10):
        lock = get_context("spawn").Lock()
        monkeypatch.setattr(Log, "wait", interrupted)
        lock.acquire()
    everything_is_as_before()


@posix_only
def test_an_interrupt_is_not_lost_when_the_code_that_cleans_up_after_it_is_stopped():
    with pytest.raises(KeyboardInterrupt), supervised(0.5):
        try:
            raise KeyboardInterrupt
        finally:
            time.sleep(30)  # until the deadline


def test_no_interrupt_is_raised_where_the_code_is_at_no_line():
    """A frame of no line is more than IPython's traceback can show; CPython has such frames."""
    passed = []

    def at_no_line():
        signal.raise_signal(signal.SIGINT)
        passed.append("the end")

    nowhere = at_no_line.__code__.replace(co_linetable=b"")
    at_no_line.__code__ = nowhere
    with pytest.raises(KeyboardInterrupt), supervised(10):
        at_no_line()
        time.sleep(10)
    assert passed == ["the end"]
    everything_is_as_before()


def test_an_interrupt_of_a_nested_block_is_raised_before_the_outer_one_goes_on():
    went_on = False
    with pytest.raises(KeyboardInterrupt), supervised(10):
        with supervised(10):
            get_context("spawn").Process(target=worker.interrupt_the_parent_alone).start()
        went_on = True
    assert not went_on


@posix_only
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_child_that_is_still_starting_says_nothing_of_an_interrupt(method):
    code = f"from tests.misbehaviour import session_interrupted_at_a_start as s; s({method!r})"
    done = worker.run_detached(code)
    assert done.stdout == "interrupted, nothing else\n"
    assert done.stderr == ""


@posix_only
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_child_can_be_interrupted_once_it_runs(method):
    ctx = get_context(method)
    with supervised(10):
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=worker.tell_of_an_interrupt, args=(theirs,))
        child.start()
        assert ours.recv() == "ready"
        os.kill(child.pid, signal.SIGINT)
        assert ours.recv() == "interrupted"


@posix_only
@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="there is no forkserver here")
def test_a_forkserver_that_a_block_started_forks_children_that_hear_ctrl_c():
    ctx = get_context("forkserver")
    with supervised(10):
        ctx.Process(target=worker.end_well).start()
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=worker.tell_of_an_interrupt, args=(theirs,))
    child.start()
    assert ours.recv() == "ready"
    os.kill(child.pid, signal.SIGINT)
    assert ours.poll(5) and ours.recv() == "interrupted"
    child.join()


@posix_only
def test_a_call_that_gives_way_ends_at_an_interrupt_and_lets_nothing_out():
    """As a kernel runs the callback of a widget: outside a cell, with SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def callback():
        with supervised(10):
            get_context("spawn").Process(target=worker.interrupt_the_parent_alone).start()
            time.sleep(10)

    began = time.monotonic()
    assert interrupts.uninterrupted(interrupts.gives_way)(callback)
    assert time.monotonic() - began < 9
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN and not interrupts.is_waiting()


def test_a_start_that_lasts_gives_way_to_the_deadline():
    # more than the pipe to the child holds, and a child that never reads it
    with pytest.raises(ProcessesFailed, match="deadline of 2 s"), supervised(2):
        get_context("spawn").Process(target=abs, args=(worker.NeverArrives(), b"x" * 1_000_000)).start()
    left = []
    for child in psutil.Process().children():
        # one that has ended meanwhile, reaped or not, runs nothing any more
        with contextlib.suppress(psutil.NoSuchProcess):
            left.append(" ".join(child.cmdline()))
    assert not [command for command in left if "spawn_main" in command]


def test_an_exit_code_is_not_lost_when_a_join_is_interrupted():
    with supervised(10):
        child = get_context("spawn").Process(target=worker.end_well)
        child.start()
        while child.exitcode is None:
            child.join(0.001)
    assert child.exitcode == 0 and child not in active_children()


@posix_only
def test_where_no_thread_can_be_signalled_a_blocked_call_is_woken_as_ctrl_c_would(monkeypatch):
    """Windows has no pthread_kill and no SIGALRM: the handler of Ctrl-C wakes the main thread, which is no Ctrl-C."""
    to_main = functools.partial(signal.pthread_kill, threading.main_thread().ident)
    monkeypatch.delattr(signal, "pthread_kill")
    monkeypatch.setattr(interrupts, "NUDGE", signal.SIGINT)
    # there its C handler sets the event for which the main thread waits; here the signal has to go to that thread
    monkeypatch.setattr(signal, "raise_signal", to_main)
    begin = time.monotonic()
    with pytest.raises(ProcessesFailed, match=r"deadline of 0\.3 s"), supervised(deadline=0.3):
        reader, _writer = get_context("spawn").Pipe(duplex=False)
        reader.recv()
    assert time.monotonic() - begin < 5
