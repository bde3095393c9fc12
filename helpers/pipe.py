"""Lesson 01, pipe: the workers that run in the child processes, and the experiments that start them."""

import time
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier, Event, Lock

from helpers.core.timing import Mechanism

# longer than what any pipe's buffer holds, so that no writer gets a message through in one go
LONG = 100_000


def answer(connection: Connection) -> None:
    """Receive one greeting and send one back."""
    heard = connection.recv()
    connection.send(f"hello, {heard}")


def tell(writer: Connection, lines: list[str]) -> None:
    """Send one line after the other, then hang up."""
    for line in lines:
        writer.send(line)
    writer.close()


def answer_slowly(connection: Connection, seconds: float) -> None:
    """Receive a question, think for so long, and answer."""
    question = connection.recv()
    time.sleep(seconds)
    connection.send(f"{question} Yes.")


def read_late(reader: Connection, listening: Event, seconds: float) -> None:
    """Say that the line is up, leave a message lying for so long, then read it."""
    listening.set()
    time.sleep(seconds)
    reader.recv_bytes()


def count_until_end(reader: Connection, result: Connection) -> None:
    """Count messages until the other side has hung up, then report the count."""
    count = 0
    try:
        while True:
            reader.recv()
            count += 1
    except EOFError:
        result.send(count)


def count_with_both_ends(reader: Connection, writer: Connection, result: Connection) -> None:
    """Wrong: count until everybody has hung up, with a write end still in hand."""
    count_until_end(reader, result)


def count_and_close(reader: Connection, writer: Connection, result: Connection) -> None:
    """Close the end that is not needed, then count until everybody has hung up."""
    writer.close()
    count_until_end(reader, result)


def report_after(connection: Connection, seconds: float, name: str) -> None:
    """Work for so long, then report by name."""
    time.sleep(seconds)
    connection.send(name)


def listen_first(connection: Connection) -> None:
    """Wait for a word before saying one: fine, unless the other side does the same."""
    connection.recv()
    connection.send("after you")


def echo(connection: Connection, thinking: float = 0.0) -> None:
    """Send every message back, after so many seconds, until the other side has hung up."""
    try:
        while True:
            message = connection.recv()
            time.sleep(thinking)
            connection.send(message)
    except EOFError:
        connection.close()


def shout(writer: Connection, start: Barrier, letter: str, count: int) -> None:
    """Wrong with several writers: send long messages through an end that others write to as well."""
    message = letter.encode() * LONG
    start.wait()
    try:
        for _ in range(count):
            writer.send_bytes(message)
    except OSError:
        pass  # the reader has given up


def take_turns(writer: Connection, start: Barrier, letter: str, count: int, turn: Lock) -> None:
    """Like `shout`, with a lock around each message."""
    message = letter.encode() * LONG
    start.wait()
    for _ in range(count):
        with turn:
            writer.send_bytes(message)


def put_messages(queue: Queue, start: Barrier, letter: str, count: int) -> None:
    """Like `shout`, into a queue."""
    message = letter.encode() * LONG
    start.wait()
    for _ in range(count):
        queue.put(message)


def is_whole(message: bytes) -> bool:
    """Tell whether a message is one writer's alone: of full length, and one letter throughout."""
    return len(message) == LONG and message == message[:1] * LONG


def whole_messages(reader: Connection, expected: int) -> int:
    """Read messages until `expected` have come or the stream makes no sense; return how many were whole."""
    whole = 0
    for _ in range(expected):
        try:
            # a garbled length would else ask for a gigabyte that never comes
            whole += is_whole(reader.recv_bytes(maxlength=LONG))
        except OSError:
            break
    return whole


def gather(readers: list[Connection]) -> list[bytes]:
    """Receive from several pipes, from each as soon as it has something, until all have hung up."""
    messages, open_readers = [], list(readers)
    while open_readers:
        for reader in wait(open_readers):
            try:
                messages.append(reader.recv_bytes())
            except EOFError:
                open_readers.remove(reader)
    return messages


def send_time(ctx: BaseContext, size: int, late: float, duplex: bool = False) -> float:
    """Return how long `send_bytes` of `size` bytes takes, in seconds, when the reader comes `late` seconds late."""
    reader, writer = ctx.Pipe(duplex)
    listening = ctx.Event()
    child = ctx.Process(target=read_late, args=(reader, listening, late))
    child.start()
    listening.wait()
    begin = time.perf_counter()
    writer.send_bytes(bytes(size))
    seconds = time.perf_counter() - begin
    child.join()
    return seconds


def connect(ctx: BaseContext) -> tuple[Connection, Connection]:
    """Return the two ends of a duplex pipe."""
    return ctx.Pipe()


SEND = Mechanism("Pipe.send", connect, Connection.send, Connection.recv)
SEND_BYTES = Mechanism("Pipe.send_bytes", connect, Connection.send_bytes, Connection.recv_bytes)
