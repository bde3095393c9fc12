"""Programs that know nothing of the recorder: they run as without it, and every message has its two ends."""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Listener

import pytest

from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.recorder import record
from helpers.supervision.supervisor import ProcessesFailed, expect_failure
from tests import recorded as worker

each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])
spawn = get_context("spawn")
NUMBERS = range(6)
SQUARES = [number * number for number in NUMBERS]


def between(run):
    """Return how many messages went from whom to whom, the recording process being 0 and all its children 1."""
    return Counter((bool(message.sent.process), bool(message.received.process)) for message in run.messages)


def assert_tasks_and_results_are_paired(run):
    assert between(run)[False, True] >= len(NUMBERS) and between(run)[True, False] >= len(NUMBERS)
    assert all(message.sent.channel == message.received.channel for message in run.messages)
    assert all(message.sent.begin <= message.received.end for message in run.messages)


@each_method
def test_an_executor(ctx):
    with record(deadline=20) as run, ProcessPoolExecutor(2, mp_context=ctx) as executor:
        assert list(executor.map(worker.square, NUMBERS)) == SQUARES
    assert_tasks_and_results_are_paired(run)


def test_loky_of_joblib(capfd):
    loky = pytest.importorskip("joblib.externals.loky", reason="needs joblib, which requirements-dev.txt names")
    with record(deadline=30) as run, loky.ProcessPoolExecutor(2) as executor:
        assert list(executor.map(worker.square, NUMBERS)) == SQUARES
    assert_tasks_and_results_are_paired(run)
    assert capfd.readouterr().err == ""


@each_method
def test_processes_of_processes(ctx):
    with record(deadline=30) as run:
        ours, theirs = ctx.Pipe()
        ctx.Process(target=worker.start_talking_grandchildren, args=(ctx.get_start_method(), theirs)).start()
        assert ours.recv() == "done"
    parents = {process.name: process.parent for process in run.processes}
    child = run.processes[1]
    assert len(parents) == 4 and list(parents.values()).count(child.pid) == 2
    # pipe there and back, the manager's call and reply, and what the child says last
    assert between(run) == {(True, True): 4, (True, False): 1}


@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
@each_method
def test_listener_and_client(ctx, family):
    if family == "AF_UNIX" and os.name != "posix":
        pytest.skip("there are no local sockets here")
    with record(deadline=20) as run, Listener(family=family, authkey=b"key") as listener:
        children = [ctx.Process(target=worker.talk, args=(listener.address, b"key")) for _ in range(2)]
        for child in children:
            child.start()
        for _ in children:
            with listener.accept() as line:
                for _ in range(3):
                    line.send(line.recv() ** 2)
        for child in children:
            child.join()
    assert between(run) == {(True, False): 6, (False, True): 6}
    assert {message.sent.channel for message in run.messages} == {"Connection 1", "Connection 2"}
    # each child talks on one connection
    assert len({(message.sent.process, message.sent.channel) for message in run.messages if message.sent.process}) == 2
    assert [event.kind for event in run.events if event.process == 0][:3] == ["accept", "recv", "send"]
    assert [event.kind for event in run.events if event.process == 1][:3] == ["connect", "send", "recv"]


@each_method
def test_a_connection_that_is_sent_through_a_pipe_keeps_its_name_and_its_message_the_size(ctx):
    with record(deadline=20) as run:
        ours, theirs = ctx.Pipe()
        reader, writer = ctx.Pipe(duplex=False)
        ctx.Process(target=worker.read_from_the_end_sent_here, args=(theirs,)).start()
        ours.send(reader)
        writer.send("through the other")
        assert ours.recv() == "through the other"
    passed_on, through, back = sorted(run.messages, key=lambda message: message.received.end)
    assert (passed_on.sent.channel, through.sent.channel, back.sent.channel) == ("Pipe 1", "Pipe 2", "Pipe 1")
    assert all(message.sent.size == message.received.size for message in run.messages)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_a_process_forks_by_itself_does_not_write_into_its_records():
    with record(deadline=20) as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.fork_and_talk, args=(theirs,)).start()
        assert [ours.recv() for _ in range(101)][-1] == b"from the child"
    assert [event.kind for event in run.events if event.process == 1] == [EventKind.SEND]


def test_names_with_tabs_and_ends_of_lines():
    with record(deadline=20) as run:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=worker.answer, args=(theirs,), name="a\tstrange\nname\u2028\udc80").start()
        ours.send(1)
        assert ours.recv() == 2
    assert run.processes[1].name == "a strange name\u2028\\udc80"
    assert between(run) == {(False, True): 1, (True, False): 1}


def test_a_program_that_ends_children_with_exit_codes_is_cut_short_unless_they_are_expected():
    def program(steps):
        child = spawn.Process(target=worker.exit_with_3)
        child.start()
        child.join()
        steps.append(child.exitcode)

    with pytest.raises(ProcessesFailed, match="expect_failure"), record() as run:
        program(steps := [])
        steps.append(spawn.Event().wait(5))
    assert steps in ([], [3])
    with expect_failure(10), record() as run:
        program(steps := [])
    assert steps == [3] and run.processes[1].exitcode == 3
    assert [event.outcome for event in run.events] == [Outcome.OK]
