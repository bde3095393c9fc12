"""Choosing: what each mechanism costs, what is left of it after a crash, and the advice that follows."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.contexts import Context
from helpers.measuring.advice import Advice, Survey, Task, advise
from helpers.measuring.timing import Measurement, Mechanism, call_time
from helpers.questions import Claim, Question
from helpers.supervision.standstill import let_others_go_on, when_stuck
from helpers.supervision.supervisor import MAX_DEADLINE, expect_failure, supervised

CRASH_DEADLINE = 30.0  # s
WAITING, HERE, BEGIN = "I wait", "I am here", "begin"
MOST_WORKERS = 64
MOST_ADDITIONS = 100_000  # of each
Adders = tuple[list[Callable[[], object]], Callable[[int, Barrier], int]]  # for the children; what the parent does
AT_ONCE = 0.1  # s, that a message usually takes at most to a reader that is there


def receive_one(mechanism: Mechanism, end: Any, line: Connection) -> None:
    """Wait for a message, and tell when that wait has begun."""
    when_stuck(partial(line.send, WAITING))
    mechanism.receive(end)


def pass_on_two(mechanism: Mechanism, end: Any, line: Connection) -> None:
    """Receive two messages, and pass each on."""
    for _ in range(2):
        line.send(mechanism.receive(end))


def pass_on_two_when_told(mechanism: Mechanism, end: Any, line: Connection) -> None:
    """Say that one is there, wait for the word to begin, then do as `pass_on_two`."""
    line.send(HERE)
    line.recv()
    pass_on_two(mechanism, end, line)


def after_crash(mechanism: Mechanism, method: str = "spawn") -> list[int]:
    """Kill a reader while it waits, send messages 1 and 2 when another one is there, and return those that it got.

    Message 1 is sent before the other begins to receive: where two wait, it is luck who gets what.
    Raises TypeError for anything but a Mechanism, TypeError or ValueError for an unknown start method, ProcessesFailed
    when a reader does not come so far.
    """
    _check_mechanism(mechanism)
    ctx = validate.context_of(method)
    with expect_failure(CRASH_DEADLINE) as failure:
        ours, theirs = mechanism.connect(ctx)
        first, line = _start(receive_one, mechanism, theirs, ctx)
        line.recv()
        first.kill()
        first.join()
        second, line = _start(pass_on_two_when_told, mechanism, theirs, ctx)
        line.recv()
        mechanism.send(ours, b"1")
        let_others_go_on()
        line.send(BEGIN)
        mechanism.send(ours, b"2")
        arrived: list[int] = []
        while len(arrived) < 2 and _arrives(line):
            arrived.append(int(line.recv()))
        second.kill()
        second.join()
        return arrived
    # that both readers were killed is expected, that the block did not come to its end is not
    raise failure.error


def _arrives(line: Connection) -> bool:
    """Tell whether something comes along a line, before everybody who could send it has had a turn."""
    if not line.poll(AT_ONCE):
        let_others_go_on()
    return line.poll(0)


def _start(reader: Callable[..., None], mechanism: Mechanism, end: Any, ctx: Context) -> tuple[BaseProcess, Connection]:
    """Start a reader with a line to us, which ends when the reader does."""
    ours, theirs = ctx.Pipe()
    process = ctx.Process(target=reader, args=(mechanism, end, theirs))
    process.start()
    theirs.close()
    return process, ours


def set_up_time(mechanism: Mechanism, method: str = "spawn", runs: int = 3) -> float:
    """Return how long it takes to make both ends, in seconds: the median of so many runs.

    Raises TypeError for anything but a Mechanism, TypeError or ValueError for an unknown start method or number.
    """
    _check_mechanism(mechanism)
    ctx = validate.context_of(method)
    validate.whole_number("runs", runs, 1, 100)
    return statistics.median(_seconds(mechanism.connect, ctx) for _ in range(runs))


def _seconds(call: Callable[..., object], *args: object) -> float:
    with supervised(deadline=20):
        begin = time.perf_counter()
        ends = call(*args)
        seconds = time.perf_counter() - begin
        del ends
    return seconds


def update_times(method: str = "spawn", updates: int = 500) -> dict[str, float]:
    """Return how long one safe update of shared state takes, in seconds, in shared memory and at a manager.

    In shared memory it is `+= 1` on a Value under its lock; at a manager a read and a write of a dict under a lock.
    Raises TypeError or ValueError for an unknown start method or number of updates.
    """
    ctx = validate.context_of(method)
    validate.whole_number("updates", updates, 5, 10**6)
    with supervised(deadline=min(MAX_DEADLINE, 60 + updates / 100)):
        manager = ctx.Manager()
        value, counts, lock = ctx.Value("i", 0), manager.dict(n=0), manager.Lock()

        places = {"shared memory": partial(_add_to_value, value), "Manager": partial(_add_to_dict, counts, lock)}
        return {name: call_time(add, updates) for name, add in places.items()}


def count_together(way: str, workers: int = 4, additions: int = 500, method: str = "spawn") -> tuple[int, float]:
    """Let processes count together in one of the WAYS; return the count, and the seconds that it took.

    Each adds one so many times. The clock runs from the moment when all are ready until the count is known. Raises
    TypeError or ValueError for another way, workers not from 1 to 64, additions not from 1 to 100,000, or an unknown
    start method.
    """
    validate.one_of("way", way, list(WAYS))
    validate.whole_number("workers", workers, 1, MOST_WORKERS)
    validate.whole_number("additions", additions, 1, MOST_ADDITIONS)
    ctx = validate.context_of(method)
    with supervised(deadline=min(MAX_DEADLINE, 60 + workers * additions / 100)):
        adders, collect = WAYS[way](ctx, workers)
        start, done = ctx.Barrier(workers + 1), ctx.Barrier(workers + 1)
        for add in adders:
            ctx.Process(target=add_often, args=(add, additions, start, done)).start()
        start.wait()
        begin = time.perf_counter()
        count = collect(workers * additions, done)
        return count, time.perf_counter() - begin


def add_often(add: Callable[[], object], additions: int, start: Barrier, done: Barrier) -> None:
    """Add as often, once all are ready, and tell when that is done."""
    start.wait()
    for _ in range(additions):
        add()
    done.wait()


def _by_messages(ctx: Context, workers: int) -> Adders:
    pipes = [ctx.Pipe(duplex=False) for _ in range(workers)]

    def collect(total: int, done: Barrier) -> int:
        count = 0
        while count < total:
            ready: list[Any] = wait([reader for reader, _ in pipes])
            count += sum(reader.recv() for reader in ready)
        done.wait()
        return count

    return [partial(writer.send, 1) for _, writer in pipes], collect


def _behind_a_queue(ctx: Context, workers: int) -> Adders:
    ones = ctx.Queue()

    def collect(total: int, done: Barrier) -> int:
        count = sum(ones.get() for _ in range(total))
        done.wait()
        return count

    return [partial(ones.put, 1)] * workers, collect


def _in_shared_memory(ctx: Context, workers: int) -> Adders:
    counter = ctx.Value("i", 0)

    def collect(total: int, done: Barrier) -> int:
        done.wait()
        return counter.value

    return [partial(_add_to_value, counter)] * workers, collect


def _at_a_manager(ctx: Context, workers: int) -> Adders:
    manager = ctx.Manager()
    counts, lock = manager.dict(n=0), manager.Lock()

    def collect(total: int, done: Barrier) -> int:
        done.wait()
        return counts["n"]

    return [partial(_add_to_dict, counts, lock)] * workers, collect


def _add_to_value(counter: Any) -> None:
    with counter.get_lock():
        counter.value += 1


def _add_to_dict(counts: Any, lock: Any) -> None:
    with lock:
        counts["n"] = counts["n"] + 1


IN_SHARED_MEMORY = "shared memory and a lock"
WAYS = {
    "messages to one": _by_messages,
    "a queue with one owner": _behind_a_queue,
    IN_SHARED_MEMORY: _in_shared_memory,
    "a manager and a lock": _at_a_manager,
}


def guide(survey: Survey) -> Callable[..., tuple[dict[str, Any], str]]:
    """Return the function for the panel of lesson 14: a task in, what `rates` draws and the advice in words out.

    Raises TypeError for anything but a survey.
    """
    validate.instance("survey", survey, Survey, "a Survey")

    def recommend(parties: int, size: int, rate: int, shares: str, survives_crash: bool) -> tuple[dict[str, Any], str]:
        advice = advise(Task(parties, size, rate, shares, survives_crash), survey)
        return {"advice": advice}, str(advice)

    return recommend


def _check_mechanism(mechanism: Mechanism) -> None:
    validate.instance("mechanism", mechanism, Mechanism, "a Mechanism, such as mechanisms.PIPE")


def _times_as_long(trips: Sequence[Measurement]) -> float:
    medians = {trip.name: trip.points[0].median for trip in trips}
    return medians["Manager"] / medians["shared memory"]


def _what_came(numbers: Sequence[int]) -> str:
    return {(1,): "first", (2,): "second", (): "none"}.get(tuple(numbers), "both")


def _advised(advised: Advice) -> str:
    return advised.mechanism


QUESTIONS = {
    "how_much_slower": Question(
        "How many times as long as through shared memory does a small round trip through a Manager take? (2 to 200)",
        "A request wakes the manager, the reply wakes the child, and every message is pickled twice.",
        unit="times",
        judge=_times_as_long,
    ),
    "killed_in_get": Question(
        "A reader is killed while it waits in Queue.get(). Which of two later messages does the next reader get?",
        {
            "none": "The dead reader held the queue's lock. Nobody can give it back.",
        },
        {"both": "both", "second": "the second only", "first": "the first only", "none": "none"},
        judge=_what_came,
    ),
    "six_parties": Question(
        "Six processes exchange 100 messages a second of 1,000 bytes each. Nobody crashes. What is the advice?",
        "The first rule that fits decides. It stands under the picture.",
        {name: name for name in ("Pipe", "Queue", "SimpleQueue", "shared memory", "Manager")},
        judge=_advised,
    ),
}

CLAIMS = {
    "pipe": Claim(
        "data in a pipe may become corrupted if two processes (or threads) try to read from or write to the same end "
        "of the pipe at the same time.",
        "fewer than 80 of 80 messages come out whole",
        lambda whole: whole < 80,
        "not shown here: this system keeps messages whole",
    ),
    "queue": Claim(
        "Queues are thread and process safe.",
        "both messages reach the next reader, although another one was killed",
        lambda arrived: arrived == [1, 2],
        "true only while nobody dies",
    ),
    "shared": Claim(
        "These shared objects will be process and thread-safe.",
        "two add one, both having read before either writes, and the number is 2",
        lambda number: number == 2,
        "true of one access, and not of two that belong together",
    ),
    "efficient": Claim(
        "Shared memory is efficient.",
        "to look at a number takes less than half the time of asking for it through a pipe",
        lambda times: 2 * times["look"] < times["pipe"],
    ),
    "slower": Claim(
        "They are, however, slower than using shared memory.",
        "one safe update takes more than twice as long as in shared memory",
        lambda updates: updates["Manager"] > 2 * updates["shared memory"],
    ),
    "messages": Claim(
        "Pipes and queues are for messages.",
        "a small message goes there and back in less than half the time that it takes by a manager, through both",
        lambda trips: 2 * max(trips["Pipe"], trips["Queue"]) < trips["Manager"],
    ),
    "counters": Claim(
        "Counters belong into shared memory.",
        "it takes less than half the time of each other way",
        lambda price: 2 * price[IN_SHARED_MEMORY] < min(price[way] for way in price if way != IN_SHARED_MEMORY),
    ),
}

CARD = Card(
    "What do they share? That chooses the way",
    {"Pipe": (1.5, 0), "Queue": (1.5, 1), "shared\nmemory": (1.5, 2), "Manager": (1.5, 3)},
    {"messages\nof two": (0, 0), "messages\nof many": (0, 1), "numbers": (0, 2), "dicts, lists": (0, 3)},
    [("messages\nof two", "Pipe", "a line"), ("messages\nof many", "Queue", "a mailbox"),
     ("numbers", "shared\nmemory", "and a lock"),
     ("dicts, lists", "Manager", "and a lock")],
    """\
jobs, counter = ctx.Queue(), ctx.Value("i", 0)
jobs.put("a job")
with counter.get_lock():
    counter.value += 1
print(jobs.get(), counter.value)""",
    "a job 1",
    [
        "Measure on the machine that will do the work. A map of another one may mislead.",
        "After a crash a pipe goes on. A queue does not, if its reader was killed inside `get()`.",
        "In shared memory, and around two calls to a manager, the lock is yours to take.",
    ],
)  # fmt: skip
