"""Recording: unmodified programs yield their processes, events and messages, and nothing of the taps stays."""

import json
import os
import sys
from multiprocessing import (
    connection,
    get_all_start_methods,
    get_context,
    managers,
    process,
    queues,
    reduction,
    sharedctypes,
    synchronize,
)
from multiprocessing.connection import wait

import pytest

from helpers.recording import taps
from helpers.recording.recorder import record
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
    assert [(event.process, event.kind, event.failed) for event in sorted(run.events, key=lambda e: e.process)] == [
        (0, "recv", True),
        (1, "recv", True),
    ]


def test_a_pipe_made_before_the_block_is_recorded_where_the_system_tells_pipes_apart():
    reader, writer = spawn.Pipe(duplex=False)
    with record() as run:
        writer.send("x")
        reader.recv()
    assert pairs(run) == ([(0, 0)] if os.name == "posix" else [])
    reader.close()
    writer.close()


def tapped_attributes():
    """Return every attribute that the taps may touch, to be compared by identity."""
    owners = [
        process.BaseProcess, connection, connection.Connection, queues.Queue, queues.SimpleQueue, queues.JoinableQueue,
        synchronize.SemLock, synchronize.Condition, synchronize.Event, synchronize.Barrier, synchronize.Lock,
        sharedctypes.SynchronizedBase, managers.BaseManager, managers.BaseProxy, managers.Server,
    ]  # fmt: skip
    found = {(owner.__name__, name): value for owner in owners for name, value in vars(owner).items()}
    found.update({("reducer", kind): value for kind, value in reduction.ForkingPickler._extra_reducers.items()})
    found.update({("code", "wait"): wait.__code__, ("meta_path",): tuple(sys.meta_path)})
    return found


@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_afterwards_the_standard_library_is_as_before(error):
    before = tapped_attributes()
    try:
        with record():
            assert tapped_attributes() != before
            if error:
                raise error
    except (ZeroDivisionError, KeyboardInterrupt):
        pass
    after = tapped_attributes()
    assert after.keys() == before.keys()
    assert [key for key in before if after[key] is not before[key] and after[key] != before[key]] == []


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


def test_a_bad_deadline_is_refused_before_anything_changes():
    before = tapped_attributes()
    with pytest.raises(ValueError, match="deadline"), record(deadline=0):
        pass
    assert tapped_attributes() == before


def test_the_trace_exports_to_chrome_json(tmp_path):
    with record() as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.answer, args=(theirs,)).start()
        ours.send(1)
        ours.recv()
    run.to_chrome(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    by_phase = {phase: [event for event in events if event["ph"] == phase] for phase in "MXsf"}
    assert [event["args"]["name"] for event in by_phase["M"]] == ["MainProcess", run.processes[1].name]
    assert len(by_phase["X"]) == len(run.events) and all(event["dur"] >= 0 for event in by_phase["X"])
    assert [event["id"] for event in by_phase["s"]] == [event["id"] for event in by_phase["f"]] == [0, 1]
    assert all({"pid", "tid", "ts"} <= event.keys() for event in by_phase["X"])


def test_two_threads_that_meet_the_same_words_first_get_the_number_of_one_line(tmp_path):
    log = taps.Log(tmp_path)
    # both have looked in vain before either holds the lock
    assert [log._new_number(words) for words in (("a", "é"), ("a", "é"), ("b",))] == [1, 1, 2]
    assert (tmp_path / f"{os.getpid()}.words").read_text(encoding="utf-8") == "a\té\nb\n"
