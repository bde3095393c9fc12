"""Inside a queue: the workers that run in the child processes, and the experiments that start them."""

import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.contexts import Context
from helpers.questions import Question
from helpers.recording.recorder import record
from helpers.supervision.supervisor import supervised

PATIENCE = 4.0  # seconds for a child that can end
PANEL_PATIENCE = 1.0
LARGEST = 100_000_000  # bytes an item
PANEL_LARGEST = 1_000  # kB
A_QUEUE = "a queue, such as ctx.Queue()"


class Letter:
    """A text that can be packed only once `allowed` is set; unpacked it is a plain text."""

    def __init__(self, text: str, allowed: Event) -> None:
        self.text = text
        self.allowed = allowed

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Tell pickle how to pack it: called when the letter is turned into bytes."""
        self.allowed.wait()
        return str, (self.text,)


def post_slowly(mailbox: Queue, text: str, allowed: Event, posted: Event) -> None:
    """Put a letter that takes long to pack, and say that `put` has returned."""
    mailbox.put(Letter(text, allowed))
    posted.set()


def post_after(mailbox: Queue, text: str, posted: Event) -> None:
    """Put a text, once somebody else's `put` has returned."""
    posted.wait()
    mailbox.put(text)


def post_unpackable(mailbox: Queue, received: Event) -> None:
    """Put a function without a name, which cannot be pickled, and then a text, which can; stay until that is there."""
    mailbox.put(lambda: "hello")
    mailbox.put("the next item")
    received.wait()


def post_bytes(mailbox: Queue, size: int, posted: Event) -> None:
    """Put one item of so many bytes, and say that `put` has returned."""
    mailbox.put(bytes(size))
    posted.set()


def size_of(mailbox: Queue) -> int | str:
    """Return what `qsize()` says, or that this machine cannot say it (macOS)."""
    validate.instance("mailbox", mailbox, Queue, A_QUEUE)
    try:
        return mailbox.qsize()
    except NotImplementedError:
        return "not available on macOS"


def largest_item_that_lets_join(method: str, low: int, high: int, within: int = 1_000) -> int:
    """Return how many bytes a child can leave unread in a queue and still end, found by bisection.

    `low` is a size in bytes with which the child ends, `high` one with which it hangs; the result is exact to `within`
    bytes. Raises TypeError or ValueError for an unknown start method and for sizes out of range, ValueError also when
    the child hangs with `low` or ends with `high`.
    """
    ctx = validate.context_of(method)
    validate.whole_number("high", high, 1, LARGEST)
    validate.whole_number("low", low, 0, high - 1)
    validate.whole_number("within", within, 1, LARGEST)
    quick = _seconds_to_end(ctx, low, patience=PATIENCE)
    if quick is None:
        raise ValueError(f"low must be a size with which the child ends; it hangs with {low:,} bytes")
    patience = max(0.3, 3 * quick)  # a hang shows by the lack of an end alone, so a busy machine gets more time
    fits, hangs = low, high
    while hangs - fits > within:
        middle = (fits + hangs) // 2
        if _seconds_to_end(ctx, middle, patience) is None:
            hangs = middle
        else:
            fits = middle
    if hangs == high and _seconds_to_end(ctx, high, patience) is not None:
        raise ValueError(f"high must be a size with which the child hangs; it ends with {high:,} bytes")
    return fits


def _seconds_to_end(ctx: Context, size: int, patience: float) -> float | None:
    """Return how long a child takes to end after its `put`, None when it has not ended within `patience` seconds."""
    with supervised(deadline=10):
        mailbox, posted = ctx.Queue(), ctx.Event()
        child = ctx.Process(target=post_bytes, args=(mailbox, size, posted))
        child.start()
        posted.wait()
        begin = time.perf_counter()
        child.join(patience)
        seconds = time.perf_counter() - begin if child.exitcode is not None else None
        mailbox.get()  # frees a child that hangs
        child.join()
    return seconds


def leave_unread(kilobytes: int, take_first: bool, method: str = "spawn") -> tuple[dict[str, Any], str]:
    """Let a child put one item, and wait for its end, with `take_first` only after the item was taken.

    Return what `lanes` draws, and in words whether the child could end; the experiment of the panel. Raises TypeError
    or ValueError for a size that is not from 1 to 1,000 kB, or an unknown start method.
    """
    ctx = validate.context_of(method)
    validate.whole_number("kilobytes", kilobytes, 1, PANEL_LARGEST)
    validate.flag("take_first", take_first)
    with record(deadline=20) as run:
        mailbox, posted = ctx.Queue(), ctx.Event()
        child = ctx.Process(target=post_bytes, args=(mailbox, 1000 * kilobytes, posted), name="child")
        child.start()
        posted.wait()
        if take_first:
            mailbox.get()
        child.join(PANEL_PATIENCE)
        has_ended = child.exitcode is not None
        if not take_first:
            mailbox.get()
        child.join()
    item = f"{kilobytes:,} kB"
    if take_first:
        return {"run": run}, f"The parent took the {item} first, and the child ended."
    if has_ended:
        return {"run": run}, f"The child ended, although nobody had taken the {item} yet."
    return {"run": run}, f"After {PANEL_PATIENCE:g} s the child had not ended. It did once the {item} were taken."


def _overtakes(first: str) -> str:
    return "yes" if first == "from Bob" else "no"


def _in_kilobytes(size: int) -> float:
    return size / 1000


def _sent(shopping: list[str]) -> str:
    return "new" if "milk" in shopping else "old"


QUESTIONS = {
    "overtaking": Question(
        "Ann's put() has returned, and only then does Bob call put(). Can Bob's letter come out first?",
        {
            "yes": "`put()` returned when a thread of Ann's had taken the letter over. That thread was still packing "
            "it when Bob's letter went into the pipe. A queue keeps the order of each producer, and no other.",
        },
        {"yes": "yes", "no": "no"},
        judge=_overtakes,
    ),
    "late_change": Question(
        "We put a list, and append to it before it has been packed. What comes out of the queue?",
        {
            "new": "The feeder thread packs what is there when it gets to it. A pipe's `send()` packs at once, so "
            "there the list would have been the old one.",
            "old": "This time the list had been packed before it was changed.",
        },
        {"old": "the list as it was when it was put", "new": "the list with the new item", "error": "an error"},
        judge=_sent,
    ),
    "edge": Question(
        "How large may an unread item be, so that the child still ends?",
        "So much fits into the buffer of the pipe behind the queue. More than that needs a reader.",
        unit="kB",
        judge=_in_kilobytes,
    ),
}

CARD = Card(
    "put() lays it on a list; a thread sends it",
    {"producer": (0, 0), "consumer": (2, 1)},
    {"list": (1, 0), "feeder\nthread": (2, 0), "pipe": (1, 1)},
    [("producer", "list", "put()"), ("list", "feeder\nthread", "packs"), ("feeder\nthread", "pipe", "sends"),
     ("pipe", "consumer", "get()")],
    """\
letters = ctx.Queue()
shared = (letters, 1_000_000, ctx.Event())
child = ctx.Process(target=post_bytes, args=shared)
child.start()
print(len(letters.get())); child.join()""",
    "1000000",
    [
        "First take everything out, then join: a child ends only when its thread has sent all.",
        "Do not change what you have put in. It is packed later.",
        "A queue keeps the order of each producer, and no other.",
    ],
    imports="from helpers.lessons.inside_a_queue import post_bytes",
)  # fmt: skip
