"""Pipe: the workers that run in the child processes, and the experiments that start them."""

import time
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier, Lock
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.contexts import Context
from helpers.questions import Question
from helpers.recording.recorder import record
from helpers.recording.trace import A_RECORDING, Trace
from helpers.supervision.standstill import when_stuck
from helpers.supervision.supervisor import ExpectedFailure, ProcessesFailed

# longer than what the buffer of a pipe holds nearly everywhere, so that no writer gets a message through in one go
LONG = 100_000
SHOUTED = 80  # messages of all writers together
START_UP = 2.0  # s for a child to be there


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


def read_late(reader: Connection, line: Connection) -> None:
    """Say that one is there, be told a moment of the clock that all processes share, and read at that moment."""
    line.send("I am here")
    time.sleep(max(0.0, line.recv() - time.perf_counter()))
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
    """Count until everybody has hung up; this worker holds the write end too."""
    count_until_end(reader, result)


def count_and_close(reader: Connection, writer: Connection, result: Connection) -> None:
    """Close the end that is not needed, then count until everybody has hung up."""
    writer.close()
    count_until_end(reader, result)


def report_after(connection: Connection, seconds: float, name: str) -> None:
    """Work for so long, then report by name."""
    time.sleep(seconds)
    connection.send(name)


def send_ones(writer: Connection, times: int) -> None:
    """Send a 1 for each addition, and hang up. Whoever reads adds up."""
    for _ in range(times):
        writer.send(1)
    writer.close()


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


def shout(writer: Connection, stuck: Barrier, letter: str, count: int) -> None:
    """Send long messages through an end that others may write to as well; come to the barrier once stuck in one."""
    message = letter.encode() * LONG
    when_stuck(stuck.wait)
    try:
        for _ in range(count):
            writer.send_bytes(message)
        writer.close()  # the reader shall not have to wait until Python has shut down
    except OSError:
        pass  # the reader has given up


def take_turns(writer: Connection, start: Barrier, letter: str, count: int, turn: Lock) -> None:
    """Wait for the start, and send long messages, with a lock around each."""
    message = letter.encode() * LONG
    start.wait()
    for _ in range(count):
        with turn:
            writer.send_bytes(message)


def put_messages(queue: Queue, start: Barrier, letter: str, count: int) -> None:
    """Wait for the start, and put long messages into a queue."""
    message = letter.encode() * LONG
    start.wait()
    for _ in range(count):
        queue.put(message)


def is_whole(message: bytes) -> bool:
    """Tell whether a message is one writer's alone: of full length, and one letter throughout."""
    validate.instance("message", message, bytes, "the bytes of a message")
    return len(message) == LONG and message == message[:1] * LONG


def whole_messages(reader: Connection, expected: int) -> int:
    """Read messages until `expected` have come or the stream makes no sense; return how many were whole.

    Raises TypeError or ValueError for what is no end of a pipe, or a number not from 0 to 1,000,000.
    """
    _check_reader("reader", reader)
    validate.whole_number("expected", expected, 0, 1_000_000)
    whole = 0
    for _ in range(expected):
        try:
            # a garbled length would else ask for a gigabyte that never comes
            whole += is_whole(reader.recv_bytes(maxlength=LONG))
        except (EOFError, OSError):
            break
    return whole


def gather(readers: list[Connection]) -> list[bytes]:
    """Receive from several pipes, from each as soon as it has something, until all have hung up.

    Raises TypeError for anything but a list of ends of pipes.
    """
    for number, reader in enumerate(validate.sequence("readers", readers, "ends of pipes", 0)):
        _check_reader(f"readers[{number}]", reader)
    messages, open_readers = [], list(readers)
    while open_readers:
        ready: list[Any] = wait(open_readers)
        for reader in ready:
            try:
                messages.append(reader.recv_bytes())
            except EOFError:
                open_readers.remove(reader)
    return messages


def _check_reader(name: str, reader: Connection) -> None:
    # Windows has a class of its own for the ends of its pipes
    if isinstance(reader, type) or not hasattr(reader, "recv_bytes"):
        validate.refuse(TypeError, name, "an end of a pipe, such as one of ctx.Pipe()", reader)


def who_waited(run: Trace, seconds: float) -> str:
    """Say who was in one `recv()` for longer than `seconds`: "parent", "child", "both" or "nobody".

    Raises TypeError or ValueError for anything but a recording and seconds above 0.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    validate.seconds("seconds", seconds, 3600)
    waits = {event.process for event in run.events if event.kind == "recv" and event.end - event.begin > seconds * 1e9}
    return {(): "nobody", (0,): "parent", (1,): "child"}.get(tuple(sorted(waits)), "both")


def send_time(ctx: Context, size: int, late: float, duplex: bool = False) -> float:
    """Return how long `send_bytes` of `size` bytes takes, in seconds, when the reader comes `late` seconds late.

    Raises TypeError or ValueError for what is no context, a size that is not from 0 to 10**8, or a delay that is not
    from 0 to 60 s.
    """
    validate.context(ctx)
    validate.flag("duplex", duplex)
    validate.whole_number("size", size, 0, 10**8)
    validate.number("late", late, 0, 60, "s")
    reader, writer = ctx.Pipe(duplex)
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=read_late, args=(reader, theirs))
    child.start()
    ours.recv()
    message = bytes(size)
    # not counted from when the reader happens to hear of it: on a busy machine that may be early or late
    ours.send(time.perf_counter() + late)
    begin = time.perf_counter()
    writer.send_bytes(message)
    seconds = time.perf_counter() - begin
    child.join()
    return seconds


def converse(messages: int, in_advance: int, kilobytes: int, thinking_ms: int) -> tuple[dict[str, Any], str]:
    """Exchange messages with an echo, some of them sent before the first answer is read; the panel of the lesson.

    Return what `lanes` draws, and in words how long a message took, or where both processes were stuck.
    Raises TypeError or ValueError for fewer than one message, more than 1,000, or a size or time out of range.
    """
    validate.whole_number("messages", messages, 1, 1_000)
    validate.whole_number("in_advance", in_advance, 1, 1_000)
    message = bytes(1000 * validate.whole_number("kilobytes", kilobytes, 0, 100_000))
    validate.whole_number("thinking_ms", thinking_ms, 0, 1_000)
    ctx = get_context("spawn")
    allowed = START_UP + messages * (thinking_ms / 1000 + len(message) / 1e8)  # s
    try:
        with record(deadline=allowed) as run:
            ours, theirs = ctx.Pipe()
            child = ctx.Process(target=echo, args=(theirs, thinking_ms / 1000), name="child")
            child.start()
            theirs.close()
            _exchange(ours, b"", 1, 1)  # the child is there
            seconds = _exchange(ours, message, messages, in_advance)
            ours.close()
            child.join()
    except ProcessesFailed as failure:
        both_send = all("connection.send" in str(report.blocked_at) for report in failure.reports)
        word = "Deadlock" if both_send else f"Not done within {allowed:.1f} s"
        return {"run": run}, f"{word}: {'; '.join(map(str, failure.reports))}"
    return {"run": run}, f"{messages} messages came back, one every {1000 * seconds / messages:.2f} ms."


def _exchange(connection: Connection, message: bytes, messages: int, in_advance: int) -> float:
    begin = time.perf_counter()
    for number in range(messages + in_advance - 1):
        if number < messages:
            connection.send(message)
        if number >= in_advance - 1:
            connection.recv()
    return time.perf_counter() - begin


def _seen(shopping: list[str]) -> str:
    return "new" if "milk" in shopping else "old"


def _hung_up(failure: ExpectedFailure) -> str:
    child = next(report for report in failure.reports if report.name == "child")
    return "waits" if child.stopped else "error" if child.failed else "ends"


def _all_whole(whole: int) -> str:
    return "yes" if whole == SHOUTED else "no"


QUESTIONS = {
    "who_waits": Question(
        "The parent asks, the child thinks for 0.3 seconds and answers. Who waits in recv() during the thinking?",
        {
            "parent": "`recv()` returns when a message is there. A process that waits uses no processor.",
        },
        {"parent": "the parent", "child": "the child", "both": "both", "nobody": "nobody"},
        judge=partial(who_waited, seconds=0.25),
    ),
    "sent_list": Question(
        "We send a list, and append to it before the child has read it. What does the child see?",
        {
            "old": "`send()` made the bytes at once. What arrives is a copy of that moment.",
        },
        {"old": "the list as it was when it was sent", "new": "the list with the new item", "error": "an error"},
        judge=_seen,
    ),
    "hang_up": Question(
        "The parent sends three messages and closes its end. The child still holds a copy. What does the child do?",
        {
            "waits": "The child waits for itself: as long as it holds a write end, more might come.",
        },
        {"ends": "it counts three and ends", "waits": "it waits for ever", "error": "it gets an error"},
        judge=_hung_up,
    ),
    "shouting": Question(
        "Four children write 20 long messages each into the same end. Do all 80 arrive whole?",
        {
            "no": "On this system a long message enters the pipe in pieces. Between two of them, another writer's "
            "piece got in. After that, nobody can tell where a message begins.",
            "yes": "On this system a message goes in whole. But that is not promised for every system.",
        },
        {"yes": "yes, each one travels in one piece", "no": "no, some get mixed with others"},
        judge=_all_whole,
    ),
}

CARD = Card(
    "A pipe is a line between two processes",
    {"parent": (0, 0), "child": (2, 0)},
    {"pipe": (1, 0)},
    [("parent", "pipe", "send()"), ("pipe", "child", "recv()")],
    """\
ours, theirs = ctx.Pipe()
ctx.Process(target=answer, args=(theirs,)).start()
theirs.close()
ours.send("parent")
print(ours.recv())""",
    "hello, parent",
    [
        "Close each end that you do not need, in each process. Else `recv()` may wait for ever.",
        "Who speaks first? Two that listen, or two that send too much at once, wait for each other.",
        "A pipe is for two. Several writers on one end can garble long messages.",
    ],
    imports="from helpers.lessons.pipe import answer",
)
