"""Manager: the workers, a class of our own that a manager keeps, and the experiments that use them."""

import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.managers import BaseManager, DictProxy, ListProxy, Namespace, SyncManager
from multiprocessing.synchronize import Barrier
from queue import Queue
from threading import Event, Lock
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.questions import Claim, Question
from helpers.recording.recorder import record
from helpers.recording.trace import Trace
from helpers.supervision.supervisor import ExpectedFailure

WAYS = ("read then write", "with the manager's lock", "one call")


class Tally:
    """Counts under names. The manager serves each caller in a thread of its own, hence the lock."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def add(self, name: str) -> None:
        """Add one to the count under this name."""
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1

    def total(self, name: str) -> int:
        """Return the count under this name."""
        with self._lock:
            return self._counts.get(name, 0)


class Clerk(SyncManager):
    """A manager that can do all that `ctx.Manager()` can, and keeps a Tally when asked for one."""


Clerk.register("Tally", Tally)

_tally = Tally()


def the_tally() -> Tally:
    """Return the one Tally of this process: all visitors of an Office get the same."""
    return _tally


class Office(BaseManager):
    """A manager that anybody can visit who knows its address and its key."""


Office.register("tally", callable=the_tally)


def sign(book: DictProxy, name: str) -> None:
    """Read what is written on the first page, and sign under a name of one's own."""
    title = book["title"]
    book[name] = f"{name} has read {title!r}"


def work(settings: Namespace, ready: Event, go: Event, jobs: Queue, results: ListProxy) -> None:
    """Say that one is ready, wait for the start, then multiply each job by the factor, until None comes."""
    ready.set()
    go.wait()
    while (job := jobs.get()) is not None:
        results.append(job * settings.factor)


def pass_on(basket: ListProxy, line: Connection) -> None:
    """Put an apple into the basket, and send the basket to somebody else."""
    basket.append("apple")
    line.send(basket)


def fill(line: Connection) -> None:
    """Receive a basket, and put a pear into it."""
    basket = line.recv()
    basket.append("pear")


def visit(address: tuple[str, int], key: bytes, name: str) -> None:
    """Visit the office at this address, and be counted."""
    office = Office(address, authkey=key)
    office.connect()
    office.tally().add(name)  # type: ignore[attr-defined]  # made by register


class Order:
    """Not a name but an order: who unpickles it calls `os.getpid` and gets what that returns. Any call would do."""

    def __reduce__(self) -> tuple[Callable[[], int], tuple[()]]:
        return os.getpid, ()


def intrude(address: tuple[str, int], key: bytes) -> None:
    """Visit the office with a stolen key, and give an order where a name is asked for."""
    office = Office(address, authkey=key)
    office.connect()
    office.tally().add(Order())  # type: ignore[attr-defined]  # made by register


def add_as_printed(shared: DictProxy) -> None:
    """Add one as tutorials print it."""
    shared["count"] = shared.get("count", 0) + 1


def read_then_write(counts: DictProxy, all_have_read: Barrier, times: int) -> None:
    """Read the count, wait until all have read, and write it back one higher."""
    for _ in range(times):
        seen = counts["n"]
        all_have_read.wait()
        counts["n"] = seen + 1


def count_with_lock(counts: DictProxy, gate: Barrier, times: int, lock: Lock) -> None:
    """Read and write while nobody else can. Meet the others before and after."""
    gate.wait()
    for _ in range(times):
        with lock:
            seen = counts["n"]
            counts["n"] = seen + 1
    gate.wait()


def count_in_one_call(tally: Tally, gate: Barrier, times: int) -> None:
    """Let the manager read and write. Meet the others before and after."""
    gate.wait()
    for _ in range(times):
        tally.add("n")
    gate.wait()


def ask_twice(book: DictProxy, line: Connection) -> None:
    """Ask for the title, and again when told to; report what came back, or which error."""
    line.send(book["title"])
    line.recv()
    try:
        line.send(book["title"])
    except (EOFError, OSError) as error:
        line.send(type(error).__name__)


def count(workers: int, additions: int, how: str, method: str = "spawn") -> tuple[int, Trace]:
    """Let so many workers add one so many times each, in one of three WAYS; return the final count and the recording.

    Raises TypeError or ValueError for fewer than one worker, more than 8, fewer than one addition, more than 200, an
    unknown way or start method.
    """
    validate.whole_number("workers", workers, 1, 8)
    validate.whole_number("additions", additions, 1, 200)
    validate.one_of("how", how, WAYS)
    ctx = validate.context_of(method)
    with record(deadline=20 + workers * additions / 50) as run:
        clerk = Clerk(ctx=ctx)
        clerk.start()
        worker, args, total = _plan(how, clerk, ctx.Barrier(workers), additions)
        children = [ctx.Process(target=worker, args=args, name=f"worker {n + 1}") for n in range(workers)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        final = total()
    return final, run


def _plan(how: str, clerk: Clerk, barrier: Barrier, times: int) -> tuple[Callable, tuple, Callable[[], int]]:
    """Return the worker, its arguments, and how to read the final count."""
    if how == "one call":
        tally = clerk.Tally()  # type: ignore[attr-defined]  # made by register
        return count_in_one_call, (tally, barrier, times), lambda: tally.total("n")
    counts = clerk.dict(n=0)
    if how == "read then write":
        return read_then_write, (counts, barrier, times), lambda: counts["n"]
    return count_with_lock, (counts, barrier, times, clerk.Lock()), lambda: counts["n"]


def count_together(workers: int, additions: int, how: str) -> tuple[dict[str, Any], str]:
    """Count as `count` does; return what `lanes` draws, and how many additions were lost: the panel of the lesson.

    Raises TypeError and ValueError as `count` does.
    """
    final, run = count(workers, additions, how)
    made, requests = workers * additions, sum(event.kind == "call" and event.process > 0 for event in run.events)
    lost = made - final
    title = f"{lost} of {made} additions lost, {requests} requests"
    verdict = f"{made} additions were made, and the count is {final}: {lost or 'none'} lost. "
    verdict += f"The workers made {requests} requests, {requests / made:.1f} an addition."
    return {"run": run, "title": title}, verdict


def _how_many_messages(run: Trace) -> str:
    reads = [event for event in run.events if event.detail == "__getitem__"]
    return str(sum(message.sent in reads for message in run.messages))


def _stranger(failure: ExpectedFailure) -> str:
    stranger = next(report for report in failure.reports if report.name == "stranger")
    return "waits" if stranger.stopped else "error" if stranger.failed else "tally"


def _served_by_another(run: Trace) -> bool:
    asked, served = ({event.process for event in run.events if event.kind == kind} for kind in ("call", "serve"))
    return len(served) == 1 and len(asked) == 2 and not asked & served


QUESTIONS = {
    "one_read": Question(
        'The child reads book["title"] once. How many messages does that take?',
        {
            "2": "A request goes to the manager, and a reply comes back.",
        },
        {"0": "none", "1": "one", "2": "two"},
        judge=_how_many_messages,
    ),
    "stranger": Question(
        "A friend comes with the right key, then a stranger with a wrong one. What does the stranger get?",
        {
            "error": "Both sides prove that they know the key, without sending it. The office stays open.",
        },
        {"tally": "the tally, but it stays empty", "error": "an error", "waits": "no answer, and waits"},
        judge=_stranger,
    ),
    "three_workers": Question(
        "The count is 0. Three workers run this, once each. What is the count afterwards?",
        {
            "1": "All three read 0 before any of them wrote. Then each wrote 1.",
        },
        {"0": "0", "1": "1", "2": "2", "3": "3"},
        judge=str,
    ),
    "nested": Question(
        "The manager's dict holds a list. What is in it after book['a'].append(1)?",
        {
            "[]": "The reply to `book['a']` is a copy of the list. Only the copy got the 1.",
        },
        {"[]": "[]", "[1]": "[1]", "error": "an error comes before"},
        judge=str,
    ),
}

CLAIMS = {
    "server": Claim(
        "A manager object returned by Manager() controls a server process which holds Python objects and allows other "
        "processes to manipulate them using proxies.",
        "all that parent and child ask of the dict is done in a third process, and in that one alone",
        _served_by_another,
    ),
}

CARD = Card(
    "A manager is a process that keeps objects for others",
    {"child": (0, 0), "manager": (1.3, 0)},
    {"a dict": (2.3, 0)},
    [("child", "manager", "request"), ("manager", "child", "reply"), ("manager", "a dict", "holds")],
    """\
with ctx.Manager() as clerk:
    book = clerk.dict(title="Emma")
    child = ctx.Process(target=sign, args=(book, "Ann"))
    child.start(); child.join()
    print(book["Ann"])""",
    "Ann has read 'Emma'",
    [
        "Each use is a request and a reply. Ask for much at once: `book.copy()`.",
        "To read and then write are two requests. Hold a lock of the manager, or make it one call.",
        "`book[key].append(1)` changes a copy. Assign it back, or put a proxy in.",
    ],
    imports="from helpers.lessons.manager import sign",
)
