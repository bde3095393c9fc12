"""Recording: unmodified programs yield their processes, events and messages, and what went wrong is in it."""

import os
import signal
import time
from contextlib import suppress
from functools import partial
from multiprocessing import (
    get_all_start_methods,
    get_context,
)
from multiprocessing.connection import wait
from queue import Empty, Full

import pytest

from helpers.recording import probes, reading
from helpers.recording.kinds import Outcome
from helpers.recording.log import Log
from helpers.recording.probes.calls import Call
from helpers.recording.recorder import record
from helpers.supervision import interrupts
from helpers.supervision.supervisor import ProcessesFailed, expect_failure
from tests import recorded as worker

each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])
spawn = get_context("spawn")


def kinds(run, number):
    """Return what one process did, in order, in its main thread."""
    return [event.kind for event in run.events if event.process == number and event.thread == "MainThread"]


def pairs(run):
    """Return who sent to whom."""
    return [(message.sent.process, message.received.process) for message in run.messages]


@each_method
def test_a_pipe_shows_both_sides_and_pairs_its_messages(ctx):
    with record() as run:
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=worker.answer, args=(theirs,), name="answerer")
        child.start()
        ours.send(1)
        assert ours.recv() == 2
        child.join()
    assert [info.name for info in run.processes] == ["MainProcess", "answerer"]
    assert run.processes[1].parent == os.getpid() and run.processes[1].exitcode == 0
    assert kinds(run, 0) == ["send", "recv", "join"]
    assert kinds(run, 1) == ["recv", "send"]
    assert pairs(run) == [(0, 1), (1, 0)]
    assert {event.channel for event in run.events if event.kind != "join"} == {"Pipe 1"}
    assert all(message.sent.begin < message.received.end for message in run.messages)
    assert all(event.size > 0 for event in run.events if event.kind in ("send", "recv"))


@each_method
def test_bytes_poll_and_wait_are_seen(ctx):
    with record() as run:
        ours, theirs = ctx.Pipe()
        ctx.Process(target=worker.answer_bytes, args=(theirs,)).start()
        ours.send_bytes(b"four")
        assert wait([ours]) == [ours]
        buffer = bytearray(4)
        ours.recv_bytes_into(buffer)
    assert kinds(run, 0) == ["send", "wait", "recv"]
    assert kinds(run, 1) == ["poll", "recv", "send"]
    assert {event.size for event in run.events if event.kind in ("send", "recv")} == {4}


@each_method
def test_items_of_a_queue_are_paired_in_the_order_in_which_they_went_through(ctx):
    with record() as run:
        queue = ctx.Queue()
        for numbers in ([1, 2, 3], [11, 12]):
            ctx.Process(target=worker.put_numbers, args=(queue, numbers)).start()
        got = [queue.get() for _ in range(5)]
    assert sorted(got) == [1, 2, 3, 11, 12]
    expected = [1 if number < 10 else 2 for number in got]
    received = sorted(run.messages, key=lambda message: message.received.begin)
    assert [message.sent.process for message in received] == expected
    assert kinds(run, 1) == ["put"] * 3 and kinds(run, 2) == ["put"] * 2
    assert {event.channel for event in run.events if event.kind == "put"} == {"Queue 1"}


@each_method
def test_simple_and_joinable_queues(ctx):
    with record() as run:
        simple, joinable = ctx.SimpleQueue(), ctx.JoinableQueue()
        ctx.Process(target=worker.put_numbers, args=(simple, [5])).start()
        ctx.Process(target=worker.take_and_finish, args=(joinable,)).start()
        assert simple.get() == 5
        joinable.put("task")
        joinable.join()
    assert pairs(run) == [(1, 0), (0, 2)] or pairs(run) == [(0, 2), (1, 0)]
    assert kinds(run, 0) == ["get", "put", "join"]
    assert kinds(run, 2) == ["get", "task_done"]
    assert {"SimpleQueue 1", "JoinableQueue 1"} <= {event.channel for event in run.events}


@each_method
def test_locks_and_shared_values(ctx):
    with record() as run:
        lock, condition, event, barrier = ctx.Lock(), ctx.Condition(), ctx.Event(), ctx.Barrier(2)
        value, array = ctx.Value("i", 0), ctx.Array("i", 3)
        arguments = (lock, condition, event, barrier, value, array)
        ctx.Process(target=worker.use_locks, args=arguments).start()
        with condition:
            barrier.wait()
            assert condition.wait(5)
        assert event.wait(5)
    child = [(each.kind, each.channel) for each in run.events if each.process == 1]
    assert child[0] == ("wait", "Barrier 1")
    assert [each for each in child if each[1] == "Lock 1"] == [("acquire", "Lock 1"), ("release", "Lock 1")]
    assert ("acquire", "Value 1") in child and ("acquire", "Array 1") in child
    assert ("notify", "Condition 1") in child and ("set", "Event 1") in child
    parent = [(each.kind, each.channel) for each in run.events if each.process == 0]
    assert ("wait", "Condition 1") in parent and ("wait", "Event 1") in parent


@each_method
def test_a_manager_is_a_process_that_serves_calls(ctx):
    with record(deadline=20) as run:
        manager = ctx.Manager()
        shared = manager.dict()
        child = ctx.Process(target=worker.add_to, args=(shared,))
        child.start()
        child.join()
        assert shared["sum"] == 1
    assert run.processes[1].name.startswith("SyncManager")
    served = [(event.kind, event.channel, event.detail) for event in run.events if event.process == 1]
    assert served == [("serve", "dict 1", "__setitem__"), ("serve", "dict 1", "__getitem__")]
    assert pairs(run) == [(2, 1), (1, 2), (0, 1), (1, 0)]


@each_method
def test_the_tasks_of_a_pool_are_seen(ctx):
    with record(deadline=20) as run, ctx.Pool(2) as pool:
        assert pool.map(worker.square, range(4), chunksize=1) == [0, 1, 4, 9]
    tasks = [message for message in run.messages if message.sent.process == 0]
    results = [message for message in run.messages if message.received.process == 0]
    assert len([message for message in tasks if message.received.process > 0]) >= 4
    assert len([message for message in results if message.sent.process > 0]) >= 4


def test_a_grandchild_is_recorded_too():
    with record(deadline=20) as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.start_a_grandchild, args=(theirs,)).start()
        ours.send(1)
        assert ours.recv() == 2
    assert len(run.processes) == 3 and run.processes[2].parent == run.processes[1].pid
    assert pairs(run) == [(0, 2), (2, 0)]


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@each_method
def test_what_a_killed_child_did_is_kept(ctx):
    with expect_failure(20), record() as run:
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=worker.send_and_be_killed, args=(theirs,))
        child.start()
        assert ours.recv() == "last words"
        child.join()
    assert kinds(run, 1) == ["send"] and pairs(run) == [(1, 0)]
    assert run.processes[1].exitcode == -9
    # when it was ready is known of a killed one too
    assert run.processes[1].begin < run.processes[1].ready < run.events[0].end
    assert run.processes[0].ready is None


def test_a_process_that_is_joined_again_ended_at_the_first_join():
    with record() as run:
        child = spawn.Process(target=time.sleep, args=(0,))
        child.start()
        child.join()
        again = time.perf_counter_ns()
        child.join()
    assert run.processes[1].end <= again


def test_a_child_that_exits_at_once_leaves_its_events():
    with record() as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.send_and_exit, args=(theirs,)).start()
        assert ours.recv() == "last words"
    assert pairs(run) == [(1, 0)]


def test_a_call_that_never_returned_is_seen():
    with expect_failure(1.5), record() as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.receive_for_ever, args=(theirs,)).start()
        ours.recv()
    assert [(event.process, event.kind, event.outcome) for event in sorted(run.events, key=lambda e: e.process)] == [
        (0, "recv", Outcome.NEVER_RETURNED),
        (1, "recv", Outcome.NEVER_RETURNED),
    ]


def outcomes(run):
    """Return how each call of the recording process ended, in order."""
    return [(event.kind, event.outcome) for event in run.events if event.process == 0]


def test_a_lock_that_was_not_to_be_had_is_not_acquired():
    with record() as run:
        lock = spawn.Lock()
        assert lock.acquire() and not lock.acquire(timeout=0.01) and not lock.acquire(block=False)
    assert outcomes(run) == [("acquire", Outcome.OK), ("acquire", Outcome.TIMED_OUT), ("acquire", Outcome.TIMED_OUT)]


def test_waiting_in_vain_is_told_from_waiting():
    with record() as run:
        event, condition, (reader, _) = spawn.Event(), spawn.Condition(), spawn.Pipe(duplex=False)
        assert not event.wait(0.01)
        with condition:
            assert not condition.wait(0.01)
        assert wait([reader], 0.01) == []
        event.set()
        assert event.wait(0.01)
        assert spawn.Barrier(1).wait() == 0
    waits = [outcome for kind, outcome in outcomes(run) if kind == "wait"]
    assert waits == [Outcome.TIMED_OUT] * 3 + [Outcome.OK] * 2


def test_a_queue_without_an_item_or_without_room_is_no_error_of_the_program():
    with record() as run:
        queue = spawn.Queue(maxsize=1)
        queue.put("only")
        for call in (partial(queue.put, "more", timeout=0.01), queue.get, partial(queue.get, timeout=0.01)):
            with suppress(Full, Empty):
                call()
    assert outcomes(run) == [
        ("put", Outcome.OK),
        ("put", Outcome.TIMED_OUT),
        ("get", Outcome.OK),
        ("get", Outcome.TIMED_OUT),
    ]


def test_the_end_of_a_pipe_is_told_from_an_error():
    with record() as run:
        reader, writer = spawn.Pipe(duplex=False)
        writer.close()
        for end in (reader, writer):
            with suppress(EOFError, OSError):
                end.recv()
    assert outcomes(run) == [("recv", Outcome.END_OF_FILE), ("recv", Outcome.RAISED)]


def test_a_process_that_was_joined_in_vain_has_not_ended():
    with expect_failure(1.5), record() as run:
        ours, theirs = spawn.Pipe()
        child = spawn.Process(target=worker.receive_for_ever, args=(theirs,))
        child.start()
        child.join(0.01)
        ours.recv()
    assert outcomes(run) == [("join", Outcome.TIMED_OUT), ("recv", Outcome.NEVER_RETURNED)]
    assert run.processes[1].end == run.processes[0].end


def test_a_pipe_made_before_the_block_is_recorded_where_the_system_tells_pipes_apart():
    reader, writer = spawn.Pipe(duplex=False)
    with record() as run:
        writer.send("x")
        reader.recv()
    assert pairs(run) == ([(0, 0)] if os.name == "posix" else [])
    reader.close()
    writer.close()


def test_an_error_in_the_block_leaves_the_trace_so_far():
    with pytest.raises(ZeroDivisionError), record() as run:
        reader, writer = spawn.Pipe(duplex=False)
        writer.send("x")
        1 / 0  # noqa: B018
    assert kinds(run, 0) == ["send"]


def test_a_failing_child_fails_the_block_and_is_in_the_trace():
    with pytest.raises(ProcessesFailed), record() as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.answer, args=("no connection",)).start()
    assert run.processes[1].exitcode == 1


def test_a_recording_inside_a_recording_is_refused():
    with record(), pytest.raises(RuntimeError, match="already"), record():
        pass


def test_an_endless_program_ends_in_time_and_what_could_not_be_read_is_counted():
    begin = time.monotonic()
    with pytest.raises(ProcessesFailed, match="deadline of 2 s"), record(deadline=2) as run:
        # in one process, since a child may take longer than that to start
        queue = spawn.SimpleQueue()
        while True:
            queue.put(b"x")
            queue.get()
    assert time.monotonic() - begin < 6
    gets = [event for event in run.events if event.kind == "get"]
    assert len(gets) > 1_000 and len(run.messages) > 1_000


def test_what_there_is_no_time_to_read_is_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(reading, "READ_AT_LEAST", 0.0)
    with expect_failure(5), record() as run:
        reader, writer = spawn.Pipe(duplex=False)
        writer.send("x")
        reader.recv()
        1 / 0  # noqa: B018
    assert (run.events, run.left_out) == ([], 2)
    assert [info.name for info in run.processes] == ["MainProcess"]


def test_a_file_that_cannot_be_removed_yet_breaks_no_recording(monkeypatch):
    """On Windows that is a file which another process still has open."""
    unlink, refused = os.unlink, []

    def as_on_windows(path, **where):
        if str(path).endswith(".now"):
            refused.append(path)
            raise PermissionError(13, "The process cannot access the file", str(path))
        unlink(path, **where)

    monkeypatch.setattr(os, "unlink", as_on_windows)
    with record() as run:
        reader, writer = spawn.Pipe(duplex=False)
        writer.send("x")
        reader.recv()
    assert refused and [event.kind for event in run.events] == ["send", "recv"]


def test_an_interrupt_while_reading_is_not_lost(monkeypatch):
    plain = reading.read

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        return plain(*arguments)

    monkeypatch.setattr(reading, "read", interrupted)
    with pytest.raises(KeyboardInterrupt), record() as run:
        reader, writer = spawn.Pipe(duplex=False)
        writer.send("x")
    assert not probes.is_attached()
    assert kinds(run, 0) == ["send"]


def test_after_an_interrupt_reading_takes_a_second_at_most(monkeypatch, tmp_path):
    monkeypatch.setattr(reading, "READ_AT_LEAST", 0.0)
    log = Log(tmp_path)
    log.write(Call(0), 1, "send", "ok", "MainThread", "1.0\tPipe\t0", "")
    arguments = tmp_path, {}, 0, 10, 60.0
    assert reading.read(*arguments).left_out == 0
    monkeypatch.setattr(interrupts, "is_waiting", lambda: True)
    assert reading.read(*arguments).left_out == 1
