"""Lesson 05, choosing: what each mechanism costs, what is left of it after a crash, and the advice that follows."""

import statistics
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.measuring.advice import Survey, Task, advise
from helpers.measuring.timing import Mechanism, call_time
from helpers.supervision.supervisor import expect_failure, supervised

if TYPE_CHECKING:
    from helpers.show import Picture

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
    ctx = get_context(validate.start_method(method))
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
    ctx = get_context(validate.start_method(method))
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
    ctx = get_context(validate.start_method(method))
    validate.whole_number("updates", updates, 5, 10**6)
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
        return {name: call_time(add, updates) for name, add in places.items()}


def guide(survey: Survey) -> "Callable[..., tuple[Picture, str]]":
    """Return the function for the panel of lesson 05: a task in words in, a picture and the advice in words out."""

    def recommend(parties: int, size: str, rate: str, shares: str, crash: str) -> "tuple[Picture, str]":
        from helpers.show.figures.choices import rates

        task = Task(parties, _leading_number(size), _leading_number(rate), shares, crash == "must go on")
        advice = advise(task, survey)
        return rates(advice), str(advice)

    return recommend


def _leading_number(words: str) -> int:
    return int(words.split()[0].replace(",", ""))


def _check_mechanism(mechanism: Mechanism) -> None:
    if not isinstance(mechanism, Mechanism):
        raise TypeError(f"mechanism must be a Mechanism, such as mechanisms.PIPE, not {mechanism!r}")
