"""Supervision: a block ends in time, leaves nothing, and says what went wrong."""

import gc
import glob
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import active_children, current_process, forkserver, get_all_start_methods, get_context
from multiprocessing.connection import wait
from multiprocessing.managers import SyncManager
from multiprocessing.pool import Pool
from multiprocessing.process import BaseProcess
from pathlib import Path
from pickle import PicklingError

import psutil
import pytest

from helpers.supervision import supervisor
from helpers.supervision.child_agent import where_main_thread_is
from helpers.supervision.runtime_folder import runtime_folder
from helpers.supervision.supervisor import ProcessesFailed, current_supervisor, expect_failure, supervised
from tests import misbehaviour as worker

METHODS = get_all_start_methods()
LONG = 60.0  # s; a deadline that a test brings forward, or that does not matter
posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and fork")
spawn = get_context("spawn")


class EndOfBlock(BaseException):
    """Raised by a test to end its block as soon as its children are where it wants them, however late that is.

    An Exception would make the block wait for a child whose failure may be behind it.
    """


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path, monkeypatch):
    """Every block leaves the standard library, the signal handlers, /dev/shm and the temporary files as they were."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    start, handler = BaseProcess.start, signal.getsignal(signal.SIGINT)
    prefix = f"/tp-{os.getpid()}"
    current_process()._config["semprefix"] = prefix  # tells our semaphores from those of other programs
    yield
    assert BaseProcess.start is start
    assert signal.getsignal(signal.SIGINT) is handler
    assert active_children() == []
    assert current_supervisor() is None
    assert not glob.glob(f"/dev/shm/sem.{prefix[1:]}*")
    assert not list(tmp_path.glob("talking-processes-*"))


def is_alive(pid):
    """Tell whether a process exists and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before the file was opened, or before it was read
        return False


def gone_within(seconds, pid):
    """Wait for the end of a process that is not our child."""
    until = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)


def failure_of(target, *args, method="spawn"):
    """Run one worker under supervision and return the failure, which comes at once."""
    began = time.monotonic()
    with pytest.raises(ProcessesFailed) as failed, supervised(LONG):
        child = get_context(method).Process(target=target, args=args)
        child.start()
        child.join()
    assert time.monotonic() - began < LONG / 2
    return failed.value


def bring_forward(block, *conditions):
    """Let the deadline of a block come once all conditions hold, however late that is on a busy machine."""

    def watch():
        while not all(holds() for holds in conditions):
            time.sleep(0.001)
        block._end_at = time.monotonic()
        block.wake()

    threading.Thread(target=watch, daemon=True).start()


def parent_is_in(call):
    """Return a condition: the main thread of this process is at a line that ends with that call."""
    return lambda: where_main_thread_is().endswith(call)


def failure_at_the_deadline(call, target, *args, method="spawn"):
    """Run one worker until the deadline, which comes once it is in a call; return the failure, which comes soon."""
    ctx = get_context(method)
    with pytest.raises(ProcessesFailed, match="did not end within its deadline") as failed, supervised(LONG) as block:
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=worker.tell_when_in, args=(call, theirs, target, *args))
        child.start()
        bring_forward(block, ours.poll, parent_is_in("child.join()"))
        child.join()
    assert time.monotonic() < block._end_at + 1
    return failed.value


@pytest.mark.parametrize("method", METHODS)
def test_a_block_whose_children_end_well_just_ends(method):
    with supervised() as family:
        child = get_context(method).Process(target=worker.end_well)
        child.start()
    assert [(report.exitcode, report.stopped) for report in family.reports] == [(0, False)]


@pytest.mark.parametrize("method", METHODS)
def test_a_child_that_never_ends_is_ended_at_the_deadline(method):
    failure = failure_at_the_deadline("time.sleep(3600)", worker.sleep_for_ever, method=method)
    parent, child = failure.reports
    assert child.stopped and "sleep_for_ever" in child.blocked_at and "time.sleep(3600)" in child.blocked_at
    assert "child.join()" in parent.blocked_at


@posix_only
def test_a_child_that_ignores_sigterm_is_ended_too():
    failure = failure_at_the_deadline("time.sleep(3600)", worker.ignore_sigterm)
    assert failure.reports[-1].stopped


@posix_only
def test_a_stopped_child_gives_no_answer_and_is_ended_in_time():
    with pytest.raises(ProcessesFailed, match="gave no answer"), supervised(LONG) as block:
        child = spawn.Process(target=worker.stop_itself)
        child.start()
        bring_forward(block, lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
        child.join()
    assert time.monotonic() < block._end_at + 1


@posix_only
@pytest.mark.parametrize("method", METHODS)
def test_a_killed_child_is_named_with_its_signal(method):
    failure = failure_of(worker.die_by_sigkill, method=method)
    assert "was killed by SIGKILL (exit code -9)" in str(failure)
    assert failure.reports[-1].failed


@pytest.mark.parametrize("method", METHODS)
def test_a_child_that_exits_with_a_code_is_named_with_it(method):
    failure = failure_of(worker.exit_at_once, 3, method=method)
    assert "ended with exit code 3" in str(failure)


@pytest.mark.parametrize("method", METHODS)
def test_the_error_of_a_child_is_in_the_report(method):
    failure = failure_of(worker.raise_an_error, method=method)
    assert "ended with exit code 1: ValueError: the worker's own words" in str(failure)
    assert "in raise_an_error" in failure.reports[-1].errors


def test_sys_exit_with_a_code_is_a_failure():
    failure = failure_of(worker.leave_by_sys_exit, 2)
    assert failure.reports[-1].exitcode == 2


@pytest.mark.parametrize("method", METHODS)
def test_blocked_children_say_where(method, monkeypatch):
    monkeypatch.setattr(supervisor, "_ANSWER_WITHIN", 10)  # not how fast they say it
    ctx = get_context(method)
    with pytest.raises(EndOfBlock), supervised(LONG) as block:
        pipe, queue, semaphore = ctx.Pipe(), ctx.Queue(), ctx.Semaphore(0)
        for call, target, waited_for in [
            ("connections[1].recv()", worker.block_in_recv, pipe),
            ("queue.get()", worker.block_in_get, queue),
            ("lock.acquire()", worker.block_in_acquire, semaphore),
        ]:
            ours, theirs = ctx.Pipe()
            ctx.Process(target=worker.tell_when_in, args=(call, theirs, target, waited_for)).start()
            assert ours.recv() == call
        raise EndOfBlock
    recv, get, acquire = [report.blocked_at for report in block.reports]
    assert recv.startswith("block_in_recv, tests/misbehaviour.py, line ") and recv.endswith("connections[1].recv()")
    assert get.startswith("block_in_get, tests/misbehaviour.py, line ") and get.endswith("queue.get()")
    assert acquire.startswith("block_in_acquire, tests/misbehaviour.py, line ") and acquire.endswith("lock.acquire()")


def test_a_child_that_joins_its_own_child_says_so():
    failure = failure_at_the_deadline("child.join()", worker.block_in_join)
    assert "block_in_join" in failure.reports[-1].blocked_at


def test_a_child_that_waits_for_its_queue_to_be_read_says_so():
    failure = failure_at_the_deadline("thread.join()", worker.put_without_end, 1_000_000)
    assert "_finalize_join" in failure.reports[-1].blocked_at


@pytest.mark.parametrize("method", METHODS)
def test_a_parent_that_receives_from_a_dead_child_is_freed_at_once(method):
    began = time.monotonic()
    with pytest.raises(ProcessesFailed, match="exit code 3") as failed, supervised(30):
        ctx = get_context(method)
        ours, theirs = ctx.Pipe()
        ctx.Process(target=worker.exit_at_once, args=(3,)).start()
        ours.recv()  # this process still holds `theirs`, so there is no end of file
    assert time.monotonic() - began < 10
    # in recv(), or still in start() when the child was quicker
    assert "supervision/test_supervisor.py" in failed.value.reports[0].blocked_at


def test_a_parent_that_gets_from_a_child_that_has_gone_is_freed_at_the_deadline():
    with pytest.raises(ProcessesFailed) as failed, supervised(LONG) as block:
        queue = spawn.Queue()
        child = spawn.Process(target=worker.end_well, args=(queue,))
        child.start()
        bring_forward(block, lambda: child.exitcode == 0, parent_is_in("queue.get()"))
        queue.get()
    assert time.monotonic() < block._end_at + 1
    assert "queue.get()" in failed.value.reports[0].blocked_at


def test_end_of_file_from_a_failing_child_names_the_child():
    with pytest.raises(ProcessesFailed, match="exit code 3") as failed, supervised(5):
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.exit_at_once, args=(3,)).start()
        theirs.close()
        ours.recv()
    assert failed.value.reports[-1].exitcode == 3


def test_a_failure_that_the_parent_never_notices_still_fails_the_block():
    with pytest.raises(ProcessesFailed, match="exit code 3"), supervised(5):
        spawn.Process(target=worker.exit_at_once, args=(3,)).start()


def test_an_error_of_the_parent_comes_through_and_ends_the_children():
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), supervised(10):
        spawn.Process(target=worker.sleep_for_ever).start()
        1 / 0  # noqa: B018
    assert time.monotonic() - began < 5


@posix_only
@pytest.mark.parametrize("target", [worker.fork_and_tell, worker.fork_and_leave])
def test_what_a_child_forks_ends_with_it(target):
    with suppress(EndOfBlock), expect_failure(LONG):
        ours, theirs = spawn.Pipe()
        spawn.Process(target=target, args=(theirs,)).start()
        grandchild = ours.recv()
        raise EndOfBlock
    assert gone_within(10, grandchild)


@posix_only
@pytest.mark.parametrize("method", METHODS)
def test_a_grandchild_ends_with_the_child_that_started_it(method):
    with supervised(10):
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.start_and_tell, args=(theirs, method)).start()
        grandchild = ours.recv()
    assert gone_within(10, grandchild)


@posix_only
@pytest.mark.parametrize("method", [*METHODS, "loky"])
def test_children_end_by_themselves_when_their_parent_is_killed(method):
    if method == "loky":
        pytest.importorskip("joblib", reason="needs joblib, which requirements-dev.txt names")
    code = f"from tests.misbehaviour import session_to_be_killed as s; s({method!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as kernel:
        child = int(kernel.stdout.readline())
        assert is_alive(child)
        kernel.kill()
    assert gone_within(3, child)


@posix_only
@pytest.mark.parametrize("times", [1, 20])
def test_ctrl_c_ends_the_block_without_a_heap_of_tracebacks(times):
    done = worker.run_detached(f"from tests.misbehaviour import interrupted_session as s; s('spawn', {times})")
    assert done.stdout == "interrupted, nothing else\n"
    assert done.stderr == ""


def test_daemons_are_ended_and_are_no_failure():
    with supervised(5) as family:
        spawn.Process(target=worker.sleep_for_ever, daemon=True).start()
    assert family.reports[0].stopped


@pytest.mark.parametrize("method", METHODS)
def test_pools_and_managers_end_with_the_block(method):
    ctx = get_context(method)
    with supervised(10) as family:
        pool, manager = ctx.Pool(2), ctx.Manager()
        shared = manager.dict(a=1)
        assert pool.map(abs, [-1, -2]) == [1, 2]
        assert shared["a"] == 1
    assert len(family.reports) == 3


def test_a_pool_whose_workers_cannot_start_does_not_go_on_for_ever():
    main = sys.modules["__main__"]
    main.unheard_of = lambda x: x
    main.unheard_of.__qualname__ = "unheard_of"
    main.unheard_of.__module__ = "__main__"
    began = time.monotonic()
    with expect_failure(1.5) as failure:
        spawn.Pool(2).map(main.unheard_of, [1, 2])
    del main.unheard_of
    assert time.monotonic() - began < 2.5
    assert "unheard_of" in str(failure)


@posix_only
def test_a_block_leaves_no_file_open_until_the_collector_comes():
    def block():
        with supervised(LONG):
            child = spawn.Process(target=worker.end_well)
            child.start()
            child.join()

    block()
    before = psutil.Process().num_fds()
    gc.disable()
    try:
        block()
        assert psutil.Process().num_fds() == before
    finally:
        gc.enable()


def all_end(threads):
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), thread


@posix_only
def test_no_thread_of_a_pool_stays_whose_worker_is_killed_while_it_sends_its_result():
    """It holds the lock that a thread of the pool needs, and another waits for the rest of the message."""
    before = set(threading.enumerate())
    with pytest.raises(ProcessesFailed), supervised(LONG):
        pool = spawn.Pool(1)
        sender = pool._pool[0]
        # the thread that takes results in waits in here, so that the second, larger than a pipe, cannot be sent whole
        has_one = threading.Event()
        pool.apply_async(abs, [1], callback=lambda _: (has_one.set(), wait([sender.sentinel])))
        has_one.wait()
        pool.apply_async(bytes, [1_000_000])
        sends = pool._outqueue._wlock
        while sends.acquire(block=False):
            sends.release()
            time.sleep(0.01)
        os.kill(sender.pid, signal.SIGKILL)
        time.sleep(LONG)
    all_end(set(threading.enumerate()) - before)


@posix_only
def test_a_pool_that_an_interrupt_cuts_short_while_it_ends_is_ended_all_the_same(monkeypatch):
    def wait_for_ever(*_):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(LONG)

    monkeypatch.setattr(Pool, "_help_stuff_finish", staticmethod(wait_for_ever))
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), supervised(LONG):
        pool = spawn.Pool(1)
        # as a worker leaves it that dies while it sends a result; a thread of the pool waits for it
        pool._outqueue._wlock.acquire()
    assert repr(pool).startswith("<multiprocessing.pool.Pool state=TERMINATE")
    all_end(set(threading.enumerate()) - before)


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_replaces_no_worker_that_the_block_ends(method, monkeypatch):
    """Its thread has just seen that it is to go on, and looks after its workers a moment later."""
    maintain, looks = Pool._maintain_pool, threading.Event()

    def hesitate(cache, process, processes, pool, *others):
        looks.set()
        # until one is killed, which must not be before this thread has ended
        wait([each.sentinel for each in pool], 0.2)
        maintain(cache, process, processes, pool, *others)

    monkeypatch.setattr(Pool, "_maintain_pool", staticmethod(hesitate))
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), supervised(LONG) as family:
        pool = get_context(method).Pool(2)
        looks.wait()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(LONG)
    assert len(family.reports) == len(pool._pool) == 2
    assert not active_children()
    all_end(set(threading.enumerate()) - before)


@pytest.mark.parametrize("error", [EndOfBlock, None])
def test_a_pool_of_a_block_takes_no_more_tasks_and_does_not_complain_when_it_is_collected(error, recwarn):
    with suppress(EndOfBlock), supervised(10):
        pool = spawn.Pool(1)
        if error:
            raise error
    with pytest.raises(ValueError, match="Pool not running"):
        pool.apply_async(abs, [1])
    del pool
    gc.collect()
    assert not [each for each in recwarn if each.category is ResourceWarning]


def test_what_a_child_writes_to_standard_error_is_passed_on(capsys):
    with supervised(10):
        spawn.Process(target=worker.warn).start()
    assert "a word of warning" in capsys.readouterr().err


def test_an_expected_failure_is_kept_and_readable():
    with expect_failure(10) as failure:
        child = spawn.Process(target=worker.exit_at_once, args=(3,))
        child.start()
        child.join()
        went_on = True
    assert went_on
    assert "exit code 3" in str(failure)


def test_an_error_in_the_parent_counts_as_the_expected_failure():
    with expect_failure() as failure:
        spawn.Process(target=lambda: None).start()
    assert "Can't" in str(failure)


def test_an_expected_failure_that_does_not_come_is_a_failure():
    with pytest.raises(AssertionError, match="expected"), expect_failure():
        spawn.Process(target=worker.end_well).start()


def test_blocks_may_be_nested():
    with supervised(10) as outer:
        spawn.Process(target=worker.end_well).start()
        with expect_failure(5) as failure:
            spawn.Process(target=worker.exit_at_once, args=(3,)).start()
        assert current_supervisor() is outer
    assert "exit code 3" in str(failure)
    assert [report.exitcode for report in outer.reports] == [0]


def test_the_deadline_of_an_outer_block_holds_inside_an_inner_one():
    began = time.monotonic()
    with pytest.raises(ProcessesFailed, match="deadline of 0.6 s"), supervised(0.6), supervised(20):
        spawn.Process(target=worker.sleep_for_ever).start()
    assert 0.6 <= time.monotonic() - began < 1.6


@pytest.mark.parametrize("deadline", [0, -1, float("inf"), float("nan"), 10**6])
def test_a_deadline_out_of_range_is_refused(deadline):
    with pytest.raises(ValueError, match="deadline must be above 0"):
        supervised(deadline)


@pytest.mark.parametrize("deadline", ["two", None, True])
def test_a_deadline_that_is_no_number_is_refused(deadline):
    with pytest.raises(TypeError, match="deadline must be a number"):
        expect_failure(deadline)


def test_a_manager_that_is_killed_leaves_no_folder_of_its_own():
    before = set(Path(tempfile.gettempdir()).glob("pymp-*"))
    with expect_failure(2):
        manager = spawn.Manager()
        os.kill(manager._process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    assert set(Path(tempfile.gettempdir()).glob("pymp-*")) == before


@pytest.mark.skipif(os.name == "nt", reason="there sockets are no files")
@pytest.mark.parametrize("method", METHODS)
def test_a_manager_that_is_killed_leaves_no_socket(method):
    before = set(runtime_folder().rglob("listener-*"))
    with pytest.raises(EndOfBlock), supervised(LONG):
        manager = get_context(method).Manager()
        assert Path(manager.address).is_socket()
        raise EndOfBlock
    # the forkserver's own lives as long as this process
    servers = {Path(forkserver._forkserver._forkserver_address or "")}
    assert set(runtime_folder().rglob("listener-*")) - before <= servers


@pytest.mark.parametrize("method", METHODS)
def test_an_executor_that_nobody_shut_down_does_its_work_and_ends_with_the_block(method):
    began = time.monotonic()
    with supervised(20) as block:
        executor = ProcessPoolExecutor(2, mp_context=get_context(method))
        results = [executor.submit(abs, number) for number in (-1, -2, -3)]
    assert time.monotonic() - began < 15
    assert [result.result() for result in results] == [1, 2, 3]
    assert {report.exitcode for report in block.reports} == {0}


def test_a_start_that_comes_twice_is_told_as_multiprocessing_does():
    with supervised(10):
        child = spawn.Process(target=worker.end_well)
        child.start()
        with pytest.raises(AssertionError, match="cannot start a process twice"):
            child.start()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_a_worker_that_a_cell_defines_is_sent_into_a_file(method, monkeypatch):
    def unheard_of():
        pass

    unheard_of.__qualname__, unheard_of.__module__ = "unheard_of", "__main__"
    monkeypatch.setattr(sys.modules["__main__"], "unheard_of", unheard_of, raising=False)
    with pytest.raises(ProcessesFailed, match="Next: write the worker with `def` into a file"), supervised(10):
        get_context(method).Process(target=unheard_of).start()


def test_a_lambda_is_sent_into_a_file_too():
    with pytest.raises((AttributeError, PicklingError)) as refused, supervised(10):
        spawn.Process(target=lambda: None).start()
    assert "into a file" in refused.value.__notes__[0]


@posix_only
def test_a_manager_that_is_slow_to_end_is_no_failure():
    """multiprocessing asks it to end with SIGTERM, waits a second, and kills it."""
    with supervised(10) as block:
        manager = SyncManager(ctx=spawn)
        manager.start(signal.signal, (signal.SIGTERM, signal.SIG_IGN))
        manager._process.terminate()
        manager._process.kill()
        manager._process.join()
    assert block.reports[0].exitcode == -signal.SIGKILL


def test_a_message_that_a_stopped_block_was_sending_is_let_go():
    """Kept by the error's frames, it made the collector of Python 3.12.1 crash."""
    with pytest.raises(ProcessesFailed), supervised(LONG) as block:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.sleep_for_ever).start()
        bring_forward(block, theirs.poll)  # the first part of it has arrived, and the last cannot
        ours.send(bytes(10_000_000))
    kept = [each for each in gc.get_objects() if isinstance(each, io.BytesIO) and not each.closed]
    assert not [each for each in kept if len(each.getvalue()) >= 10_000_000]
