"""New lesson: the workers that run in the child processes, and the experiment of the panel."""

import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.questions import Question
from helpers.recording.recorder import record


def double(connection: Connection) -> None:
    """Receive one number and send back its double."""
    connection.send(2 * connection.recv())


def double_slowly(connection: Connection, seconds: float) -> None:
    """Receive one number, think for so long, and send back its double."""
    number = connection.recv()
    time.sleep(seconds)
    connection.send(2 * number)


def double_all(connection: Connection, thinking: float = 0.0) -> None:
    """Send back the double of every number, after so many seconds, until None comes."""
    for number in iter(connection.recv, None):
        time.sleep(thinking)
        connection.send(2 * number)


def forget_to_answer(connection: Connection) -> None:
    """Wrong: receive every number until None comes, and answer none."""
    for _ in iter(connection.recv, None):
        pass


def ask(messages: int, thinking_ms: int) -> tuple[dict[str, Any], str]:
    """Ask a child for the doubles of some numbers, one after the other; the experiment of the panel.

    Return what `lanes` draws, and in words how long an answer took. Raises TypeError or ValueError for fewer than one
    question, more than 1,000, or a time that is not from 1 to 1,000 ms.
    """
    validate.whole_number("messages", messages, 1, 1_000)
    validate.whole_number("thinking_ms", thinking_ms, 1, 1_000)
    ctx = get_context("spawn")
    allowed = 20 + 3 * messages * thinking_ms / 1000  # s; sleep may take longer than it was told
    with record(deadline=allowed) as run:
        ours, theirs = ctx.Pipe()
        child = ctx.Process(target=double_all, args=(theirs, thinking_ms / 1000), name="child")
        child.start()
        seconds = _questions(ours, 1 + messages)[1:]  # the first answer takes as long as the start of the child
        ours.send(None)
        child.join()
    return {"run": run}, f"{messages} answers came, one every {1000 * sum(seconds) / messages:.2f} ms."


def _questions(connection: Connection, count: int) -> list[float]:
    """Return how many seconds passed between each question and its answer."""
    took = []
    for number in range(count):
        begin = time.perf_counter()
        connection.send(number)
        connection.recv()
        took.append(time.perf_counter() - begin)
    return took


QUESTIONS = {
    "copied": Question(
        "number is 21. The parent sends it, and the child doubles it. What is number in the parent afterwards?",
        {
            "21": "What travels is a copy. The double came back as another number.",
        },
        {"21": "21", "42": "42", "error": "an error"},
        judge=str,
    ),
    "again": Question(
        "The child has answered and ended. The parent calls recv() once more. What does it get?",
        {
            "error": "Nobody holds the other end any more, so `recv()` raises EOFError.",
        },
        {"same": "the same answer again", "waits": "nothing: it waits for ever", "error": "an error"},
    ),
}

CARD = Card(
    "A child doubles what it is sent",
    {"parent": (0, 0), "child": (1.6, 0)},
    {},
    [("parent", "child", "21"), ("child", "parent", "42")],
    """\
ours, theirs = ctx.Pipe()
child = ctx.Process(target=double, args=(theirs,))
child.start()
ours.send(21)
print(ours.recv())""",
    "42",
    [
        "What travels is a copy. Say here what the lesson showed.",
        "Close each end that you do not need.",
        "Who waits for an answer that never comes, waits for ever.",
    ],
    imports="from helpers.lessons.new_lesson import double",
)
