"""Lesson 05, choosing: what each mechanism costs, what is left of it after a crash, and the advice that follows."""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from typing import TYPE_CHECKING, Any

from helpers.core import checks
from helpers.core.processes import expect_failure, supervised
from helpers.core.timing import Measurement, Mechanism

if TYPE_CHECKING:
    from helpers.show import Picture

SHARES = ("messages", "numbers", "dicts and lists")
STATES = {"numbers": "shared memory", "dicts and lists": "Manager"}
WHY = {
    "numbers": "Numbers that all can see belong into shared memory, with a lock around each update.",
    "dicts and lists": "Dicts and lists that all can change need a manager, and a lock of its own.",
}
MOST_PARTIES, LARGEST, MOST_A_SECOND = 64, 100_000_000, 100_000_000
STANDING_STILL = 50  # looks, 1 ms apart, at a thread that has not moved: it waits
AT_ONCE = 1.0  # s; a message that has not come by then is not going to


def receive_one(mechanism: Mechanism, end: Any, waiting: Connection) -> None:
    """Wait for a message, and let a thread report when this process stands still in `receive`."""
    threading.Thread(target=_report_standstill, args=(threading.get_ident(), waiting), daemon=True).start()
    mechanism.receive(end)


def pass_on_two(mechanism: Mechanism, end: Any, line: Connection) -> None:
    """Receive two messages, and pass each on."""
    for _ in range(2):
        line.send(mechanism.receive(end))


def add_after_all_have_read(number: Synchronized, all_have_read: Barrier) -> None:
    """Wrong: add one in two halves, with everybody's reading between them."""
    seen = number.value
    all_have_read.wait()
    number.value = seen + 1


def _report_standstill(thread: int, waiting: Connection) -> None:
    place, looks = None, 0
    while looks < STANDING_STILL:
        frame = sys._current_frames()[thread]
        here = frame.f_code, frame.f_lasti
        place, looks = here, looks + 1 if here == place else 0
        del frame
        time.sleep(0.001)
    waiting.send("it stands still")


def after_crash(mechanism: Mechanism, method: str = "spawn") -> list[int]:
    """Kill a reader while it waits, send messages 1 and 2 to another reader, and return those that it got.

    Raises TypeError for anything but a Mechanism, TypeError or ValueError for an unknown start method.
    """
    _check_mechanism(mechanism)
    ctx = get_context(checks.start_method(method))
    with expect_failure(deadline=15):
        ours, theirs = mechanism.connect(ctx)
        reader, writer = ctx.Pipe(duplex=False)
        first = ctx.Process(target=receive_one, args=(mechanism, theirs, writer))
        first.start()
        reader.recv()
        first.kill()
        first.join()
        second = ctx.Process(target=pass_on_two, args=(mechanism, theirs, writer))
        second.start()
        mechanism.send(ours, b"1")
        mechanism.send(ours, b"2")
        arrived = []
        while len(arrived) < 2 and reader.poll(AT_ONCE):
            arrived.append(int(reader.recv()))
        second.kill()
        second.join()
    return arrived


def set_up_time(mechanism: Mechanism, method: str = "spawn", runs: int = 3) -> float:
    """Return how long it takes to make both ends, in seconds: the median of so many runs.

    Raises TypeError for anything but a Mechanism, TypeError or ValueError for an unknown start method or number.
    """
    _check_mechanism(mechanism)
    ctx = get_context(checks.start_method(method))
    checks.whole_number("runs", runs, 1, 100)
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
    ctx = get_context(checks.start_method(method))
    checks.whole_number("updates", updates, 1, 10**6)
    with supervised(deadline=60):
        manager = ctx.Manager()
        value, counts, lock = ctx.Value("i", 0), manager.dict(n=0), manager.Lock()

        def add_to_value() -> None:
            with value.get_lock():
                value.value += 1

        def add_to_dict() -> None:
            with lock:
                counts["n"] = counts["n"] + 1

        places = {"shared memory": add_to_value, "Manager": add_to_dict}
        return {name: _mean_seconds(add, updates) for name, add in places.items()}


def _mean_seconds(call: Callable[[], object], count: int) -> float:
    call()  # the first call of a proxy also connects
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begin) / count


@dataclass(frozen=True)
class Survey:
    """What was measured on this machine, by the name of the mechanism."""

    trips: Mapping[str, Measurement]  # round trips
    streams: Mapping[str, Measurement]  # one way
    set_up: Mapping[str, float]  # s
    arrived: Mapping[str, list[int]]  # of messages 1 and 2, after a crash
    updates: Mapping[str, float]  # s an update of shared state

    def rate(self, name: str, task: "Task") -> float:
        """Return how many messages of the task's size, or updates of its shared state, go through in a second."""
        return 1 / (self.streams[name].fit.at(task.size) if task.shares == "messages" else self.updates[name])

    def survives(self, name: str) -> bool:
        """Tell whether both messages reached the other reader after a crash."""
        return self.arrived[name] == [1, 2]


@dataclass(frozen=True)
class Task:
    """What a learner wants to do.

    Raises TypeError or ValueError for fewer than 2 parties, more than 64, a size (bytes) not from 1 to 10**8, a rate
    (messages or updates a second) not from 1 to 10**8, or something to share that is not in SHARES.
    """

    parties: int
    size: int
    rate: int
    shares: str = "messages"
    survives_crash: bool = False

    def __post_init__(self) -> None:
        checks.whole_number("parties", self.parties, 2, MOST_PARTIES)
        checks.whole_number("size", self.size, 1, LARGEST)
        checks.whole_number("rate", self.rate, 1, MOST_A_SECOND)
        checks.one_of("shares", self.shares, SHARES)
        if not isinstance(self.survives_crash, bool):
            raise TypeError(f"survives_crash must be True or False, not {self.survives_crash!r}")


@dataclass(frozen=True)
class Advice:
    """A mechanism for a task, the rule that led to it, and what this machine can be expected to do."""

    task: Task
    mechanism: str
    rule: str
    rates: dict[str, float]  # a second, for each mechanism that can do the task at all

    @property
    def is_enough(self) -> bool:
        """Tell whether the mechanism is as quick as the task needs."""
        return self.rates[self.mechanism] >= self.task.rate

    def __str__(self) -> str:
        rate, unit = self.rates[self.mechanism], "messages" if self.task.shares == "messages" else "updates"
        enough = "" if self.is_enough else f" That is too slow for you: put several {unit} into one."
        here = f"Here: about {rate:,.0f} {unit} a second; needed: {self.task.rate:,}."
        return f"{self.mechanism}. {self.rule} {here}{enough}"


def advise(task: Task, survey: Survey) -> Advice:
    """Recommend a mechanism for a task, from what was measured on this machine.

    The rule that fits names mechanisms, the most convenient first. The first that is quick enough is recommended, or
    the quickest if none is.
    """
    if not isinstance(task, Task) or not isinstance(survey, Survey):
        raise TypeError(f"task and survey must be a Task and a Survey, not {task!r} and {survey!r}")
    rule, names = _rule(task, survey)
    rates = {name: survey.rate(name, task) for name in names}
    enough = [name for name in names if rates[name] >= task.rate]
    chosen = enough[0] if enough else max(rates, key=rates.get)
    if chosen != names[0]:
        rule += f" A {names[0]} would be more convenient, but is too slow here."
    return Advice(task, chosen, rule, rates)


def _rule(task: Task, survey: Survey) -> tuple[str, list[str]]:
    """Return the first rule that fits, and the mechanisms that it allows, the most convenient first."""
    if task.shares != "messages":
        return WHY[task.shares], [STATES[task.shares]]
    if task.survives_crash:
        able = [name for name in ("Pipe", "Manager", "shared memory") if survey.survives(name)]
        each = "A reader that crashes must take nothing with it."
        return each if task.parties == 2 else f"{each} Give each partner a line of its own.", able or ["Pipe"]
    if task.parties == 2:
        return "Messages between two: a pipe is made for that.", ["Pipe", "shared memory"]
    return "Messages among more than two: a queue has the locks that this needs.", ["Queue", "SimpleQueue"]


def guide(survey: Survey) -> "Callable[..., tuple[Picture, str]]":
    """Return the function for the panel of lesson 05: a task in words in, a picture and the advice in words out."""

    def recommend(parties: int, size: str, rate: str, shares: str, crash: str) -> "tuple[Picture, str]":
        from helpers.show.choices import rates

        task = Task(parties, _leading_number(size), _leading_number(rate), shares, crash == "must go on")
        advice = advise(task, survey)
        return rates(advice), str(advice)

    return recommend


def _leading_number(words: str) -> int:
    return int(words.split()[0].replace(",", ""))


def _check_mechanism(mechanism: Mechanism) -> None:
    if not isinstance(mechanism, Mechanism):
        raise TypeError(f"mechanism must be a Mechanism, such as mechanisms.PIPE, not {mechanism!r}")
