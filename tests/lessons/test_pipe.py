"""The workers of this lesson do what the lesson says of them, under every start method."""

import os
import time
from functools import partial
from multiprocessing import get_all_start_methods, get_context

import pytest

from helpers.lessons import pipe
from helpers.show import lanes
from helpers.supervision.standstill import when_stuck
from helpers.supervision.supervisor import expect_failure, supervised

spawn = get_context("spawn")
each_method = pytest.mark.parametrize("ctx", [get_context(name) for name in get_all_start_methods()])


def start(ctx, worker, *arguments):
    ctx.Process(target=worker, args=arguments).start()


@each_method
def test_a_greeting_is_answered(ctx):
    with supervised():
        ours, theirs = ctx.Pipe()
        start(ctx, pipe.answer, theirs)
        ours.send("parent")
        assert ours.recv() == "hello, parent"


@each_method
def test_lines_arrive_in_order_and_then_the_end(ctx):
    with supervised():
        reader, writer = ctx.Pipe(duplex=False)
        start(ctx, pipe.tell, writer, ["one", "two"])
        writer.close()
        assert [reader.recv(), reader.recv()] == ["one", "two"]
        with pytest.raises(EOFError):
            reader.recv()


@each_method
def test_messages_are_counted_until_the_line_is_closed(ctx):
    with supervised():
        reader, writer = ctx.Pipe(duplex=False)
        answer, result = ctx.Pipe(duplex=False)
        start(ctx, pipe.count_and_close, reader, writer, result)
        for number in range(3):
            writer.send(number)
        writer.close()
        assert answer.recv() == 3


class EndOfBlock(Exception):
    """Raised by a test to end its block as soon as its child is stuck, however late that is."""


def tell_when_stuck(line, worker, *arguments):
    when_stuck(partial(line.send, "stuck"))
    worker(*arguments)


def place_where_stuck(worker, *arguments, close=()):
    """Return where a child is that has come to wait; in the parent `close` is closed before."""
    with expect_failure(30) as failure:
        ours, theirs = spawn.Pipe()
        start(spawn, tell_when_stuck, theirs, worker, *arguments)
        for end in close:
            end.close()
        ours.recv()
        raise EndOfBlock
    return failure.reports[-1].blocked_at


def test_a_reader_that_holds_a_write_end_never_sees_the_end():
    reader, writer = spawn.Pipe(duplex=False)
    _, result = spawn.Pipe(duplex=False)
    place = place_where_stuck(pipe.count_with_both_ends, reader, writer, result, close=[writer])
    assert place.startswith("count_until_end") and place.endswith("reader.recv()")


def test_who_listens_first_waits_for_the_other():
    _, theirs = spawn.Pipe()
    place = place_where_stuck(pipe.listen_first, theirs)
    assert place.startswith("listen_first") and place.endswith("connection.recv()")


def test_a_small_message_does_not_wait_for_its_reader_and_a_large_one_does():
    with supervised(10):
        small = pipe.send_time(spawn, 1_000, late=0.5)
        large = pipe.send_time(spawn, 10_000_000, late=0.5)
    assert small < 0.45 < large


def test_a_late_reader_is_late_by_the_clock_and_not_by_when_it_was_told():
    with supervised(20):
        reader, writer = spawn.Pipe(duplex=False)
        ours, theirs = spawn.Pipe()
        start(spawn, pipe.read_late, reader, theirs)
        ours.recv()
        moment = time.perf_counter() + 0.5
        ours.send(moment)
        time.sleep(0.3)  # a parent that is slow to begin
        writer.send_bytes(bytes(10_000_000))
        assert time.perf_counter() > moment


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the messages of a pipe apart")
def test_writers_on_one_end_garble_each_other():
    with supervised(20):
        reader, writer = spawn.Pipe(duplex=False)
        stuck = spawn.Barrier(5)
        for letter in "ABCD":
            start(spawn, pipe.shout, writer, stuck, letter, 10)
        writer.close()
        stuck.wait()
        whole = pipe.whole_messages(reader, expected=40)
        reader.close()
    assert whole < 40


def test_a_lock_keeps_writers_apart():
    with supervised(10):
        reader, writer = spawn.Pipe(duplex=False)
        barrier, turn = spawn.Barrier(4), spawn.Lock()
        for letter in "ABCD":
            start(spawn, pipe.take_turns, writer, barrier, letter, 10, turn)
        assert pipe.whole_messages(reader, expected=40) == 40


def test_one_pipe_each_keeps_writers_apart():
    with supervised(10):
        readers, barrier = [], spawn.Barrier(3)
        for letter in "ABC":
            reader, writer = spawn.Pipe(duplex=False)
            start(spawn, pipe.shout, writer, barrier, letter, 5)
            writer.close()
            readers.append(reader)
        messages = pipe.gather(readers)
    assert len(messages) == 15 and all(map(pipe.is_whole, messages))


def test_a_queue_keeps_writers_apart():
    with supervised(10):
        queue, barrier = spawn.Queue(), spawn.Barrier(3)
        for letter in "ABC":
            start(spawn, pipe.put_messages, queue, barrier, letter, 5)
        messages = [queue.get() for _ in range(15)]
    assert sorted(message[:1] for message in messages) == [b"A"] * 5 + [b"B"] * 5 + [b"C"] * 5
    assert all(map(pipe.is_whole, messages))


def test_a_damaged_message_is_not_whole():
    letters = b"A" * pipe.LONG
    assert pipe.is_whole(letters)
    assert not pipe.is_whole(letters[1:])
    assert not pipe.is_whole(letters[1:] + b"B")


def test_a_conversation_says_how_long_a_message_takes():
    data, verdict = pipe.converse(messages=3, in_advance=1, kilobytes=1, thinking_ms=0)
    assert "3 messages came back" in verdict
    assert "8 messages" in lanes(**data).title


def test_too_much_in_advance_is_a_deadlock_and_says_where():
    _, verdict = pipe.converse(messages=40, in_advance=40, kilobytes=400, thinking_ms=0)
    assert verdict.startswith("Deadlock") and verdict.count("connection.send") == 2


def test_a_conversation_that_only_takes_too_long_is_no_deadlock(monkeypatch):
    monkeypatch.setattr(pipe, "START_UP", 0.01)
    _, verdict = pipe.converse(messages=1, in_advance=1, kilobytes=0, thinking_ms=0)
    assert verdict.startswith("Not done within 0.0 s: MainProcess")


@pytest.mark.parametrize("value", [0, -1, 10**6])
def test_numbers_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match=f"messages must be from 1 to 1,000, not {value}"):
        pipe.converse(value, 1, 1, 0)


@pytest.mark.parametrize("value", [1.5, "two", None])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="messages must be a whole number"):
        pipe.converse(value, 1, 1, 0)


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match="size must be from 0"):
        pipe.send_time(spawn, -1, late=0)


@each_method
def test_ones_are_sent_and_then_the_writer_hangs_up(ctx):
    with supervised(10):
        reader, writer = ctx.Pipe(duplex=False)
        start(ctx, pipe.send_ones, writer, 3)
        writer.close()
        assert [reader.recv() for _ in range(3)] == [1, 1, 1]
        with pytest.raises(EOFError):
            reader.recv()
