"""Shared memory: the workers that run in the child processes, and the experiments that start them."""

import time
from collections.abc import Callable
from ctypes import Array as CArray
from ctypes import Structure, c_int
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray
from multiprocessing.synchronize import Barrier, Event, Semaphore
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.contexts import Context
from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats, repeat
from helpers.questions import Question
from helpers.supervision.supervisor import supervised
from helpers.words import percent

MOST_WORKERS = 64
PANEL_TIME = 1.5  # seconds that the runs of the panel may take


class Clock(Structure):
    """A time of day in shared memory, in two fields."""

    _fields_ = (("hour", c_int), ("minute", c_int))


def add_one(counter: Synchronized) -> None:
    """Add one to the counter that all share."""
    counter.value += 1


def add_after_all_have_read(counter: Synchronized, all_have_read: Barrier) -> None:
    """Add one in two halves, and wait between them until everybody has read."""
    seen = counter.value
    all_have_read.wait()
    counter.value = seen + 1


def add_with_lock(counter: Synchronized, seconds: float) -> None:
    """Add one in two halves, so many seconds apart, with the lock held from the first to the second."""
    with counter.get_lock():
        seen = counter.value
        time.sleep(seconds)
        counter.value = seen + 1


def add_again(counter: Synchronized, start: Barrier, end: Barrier, runs: int, increments: int, window: float) -> None:
    """In each run add one, so many times, with a window in seconds between the two halves."""
    for _ in range(runs):
        start.wait()
        for _ in range(increments):
            seen = counter.value
            if window:
                time.sleep(window)
            counter.value = seen + 1
        end.wait()


def add_again_with_lock(
    counter: Synchronized, start: Barrier, end: Barrier, runs: int, increments: int, window: float
) -> None:
    """Like `add_again`, with the counter's lock held from the first half to the second."""
    for _ in range(runs):
        start.wait()
        for _ in range(increments):
            with counter.get_lock():
                seen = counter.value
                if window:
                    time.sleep(window)
                counter.value = seen + 1
        end.wait()


def strike_ten(clock: Clock, half_way: Event, seen: Event) -> None:
    """Set the clock from 9:59 to 10:00, field by field; give a signal between them, and wait for one."""
    clock.hour = 10
    half_way.set()
    seen.wait()
    clock.minute = 0


def look_half_way(clock: Clock, half_way: Event, seen: Event, result: Connection) -> None:
    """Read the clock when its hand has moved half way, and report the time."""
    half_way.wait()
    result.send(f"{clock.hour}:{clock.minute:02}")
    seen.set()


def strike_ten_with_lock(clock: Clock, half_way: Event) -> None:
    """Set the clock from 9:59 to 10:00 with its lock held until both fields are right."""
    with clock.get_lock():
        clock.hour = 10
        half_way.set()
        clock.minute = 0


def look_with_lock(clock: Clock, half_way: Event, result: Connection) -> None:
    """Come to the clock when its hand has moved half way, read it with its lock held, and report the time."""
    half_way.wait()
    with clock.get_lock():
        result.send(f"{clock.hour}:{clock.minute:02}")


def produce_for_busy(slot: Synchronized, count: int, seconds: float) -> None:
    """Put one number after the other into the slot, each after so many seconds of thought; 0 means empty."""
    for number in range(1, count + 1):
        time.sleep(seconds)
        while slot.value != 0:
            pass
        slot.value = number


def consume_busily(slot: Synchronized, count: int, report: SynchronizedArray) -> None:
    """Wrong: look into the slot again and again until something is there. Report the sum and the processor time."""
    total, begin = 0, time.process_time()
    for _ in range(count):
        while (number := slot.value) == 0:
            pass
        slot.value = 0
        total += number
    report[:] = total, time.process_time() - begin


def produce(ring: CArray, free: Semaphore, filled: Semaphore, count: int, seconds: float) -> None:
    """Put one number after the other into the ring, each after so many seconds of thought."""
    for number in range(1, count + 1):
        time.sleep(seconds)
        free.acquire()  # sleeps while the ring is full
        ring[number % len(ring)] = number
        filled.release()


def consume(ring: CArray, free: Semaphore, filled: Semaphore, count: int, report: SynchronizedArray) -> None:
    """Take so many numbers out of the ring. Report their sum and the processor time used."""
    total, begin = 0, time.process_time()
    for number in range(1, count + 1):
        filled.acquire()  # sleeps while the ring is empty
        total += ring[number % len(ring)]
        free.release()
    report[:] = total, time.process_time() - begin


def count_often(
    ctx: Context,
    runs: int,
    workers: int = 5,
    increments: int = 1,
    window: float = 0.01,
    lock: bool = False,
    progress: Callable[[int], object] | None = None,
) -> Repeats:
    """Let `workers` processes add one, `increments` times each, to one counter; again in each run.

    `window` is the time in seconds between reading and writing; with `lock` the counter's lock is held meanwhile. An
    outcome is what the counter shows at the end of a run. The processes are started once and take part in all runs.

    Raises TypeError or ValueError for fewer than one run, worker or increment, more than 10,000 runs, 64 workers or
    1,000,000 increments, a window not from 0 to 1 s; ProcessesFailed when the series does not end in time.
    """
    validate.context(ctx)
    validate.whole_number("runs", runs, 1, 10_000)
    validate.whole_number("workers", workers, 1, MOST_WORKERS)
    validate.whole_number("increments", increments, 1, 1_000_000)
    validate.number("window", window, 0, 1, "s")
    validate.flag("lock", lock)
    if progress is not None:
        validate.function("progress", progress, "a function of the number of runs done, or None", 1)
    worker = add_again_with_lock if lock else add_again
    allowed = min(3600.0, 30 + 10 * runs * _seconds_a_run(workers, increments, window, lock))
    with supervised(allowed):
        counter, start, end = ctx.Value("i", 0), ctx.Barrier(workers + 1), ctx.Barrier(workers + 1)
        for _ in range(workers):
            ctx.Process(target=worker, args=(counter, start, end, runs + 1, increments, window)).start()

        def run() -> int:
            counter.value = 0
            start.wait()
            end.wait()
            return counter.value

        # one run first that does not count, since it waits for the processes to start
        run()
        return repeat(run, runs, progress)


def losing(ctx: Context, runs: int, workers: int, increments: int) -> Proportion:
    """Return the share of runs in which so many workers, that add one so many times each, lose updates.

    Nothing is slowed down: reading and writing follow each other as in `+= 1`. Raises as `count_often` does.
    """
    repeats = count_often(ctx, runs, workers, increments, window=0)
    return repeats.share(lambda total: total < workers * increments)


def play(workers: int, increments: int, window_ms: float, lock: bool) -> tuple[dict[str, Any], str]:
    """Count with so many workers, as often as fits into PANEL_TIME; the panel of the lesson.

    Return what `outcomes` draws, and in words how many runs and updates were lost.
    Raises TypeError or ValueError for workers not from 1 to 64, increments not from 1 to 1,000,000, a window not from
    0 to 1,000 ms, or a lock that is not True or False.
    """
    validate.whole_number("workers", workers, 1, MOST_WORKERS)
    validate.whole_number("increments", increments, 1, 1_000_000)
    window = validate.number("window_ms", window_ms, 0, 1_000, "ms") / 1000
    validate.flag("lock", lock)
    due = workers * increments
    runs = max(2, min(200, int(PANEL_TIME / _seconds_a_run(workers, increments, window, lock))))
    repeats = count_often(get_context("spawn"), runs, workers, increments, window, lock)
    losing = repeats.share(lambda total: total < due)
    lost = repeats.mean(lambda total: due - total) / due
    verdict = f"{losing} lost an update. Of all updates {percent(lost)} were lost."
    verdict += f" A run took {1000 * repeats.seconds / runs:.1f} ms."
    picture = {"repeats": repeats, "lost": lambda total: total < due, "case": f"{workers} workers x {increments}"}
    return picture, verdict


def update_time(ctx: Context, kind: str, times: int) -> float:
    """Return the seconds that a process takes for so many `+= 1`, with nobody else at the counter.

    `kind` is "RawValue", "Value", or "Value, get_lock()", in which the lock is held around both halves.
    Raises TypeError or ValueError for another kind, or times not from 1 to 10,000,000.
    """
    validate.context(ctx)
    validate.one_of("kind", kind, list(_UPDATES))
    validate.whole_number("times", times, 1, 10_000_000)
    counter = ctx.RawValue("i", 0) if kind == "RawValue" else ctx.Value("i", 0)
    begin = time.perf_counter()
    _UPDATES[kind](counter, times)
    return time.perf_counter() - begin


def _update(counter: Synchronized, times: int) -> None:
    for _ in range(times):
        counter.value += 1


def _update_with_lock(counter: Synchronized, times: int) -> None:
    for _ in range(times):
        with counter.get_lock():
            counter.value += 1


_UPDATES = {"RawValue": _update, "Value": _update, "Value, get_lock()": _update_with_lock}


def _seconds_a_run(workers: int, increments: int, window: float, lock: bool) -> float:
    """Estimate how long a run takes, with 10 µs for an update and 1 ms for the start."""
    in_a_row = workers * increments if lock else increments
    return 0.001 + workers * increments * 1e-5 + in_a_row * (window + 1e-4 * (window > 0))


def _one_or_all(count: int) -> str:
    return "1" if count == 1 else "5"


QUESTIONS = {
    "overflow": Question(
        'small = ctx.Value("b", 127), then small.value += 1. What is small.value?',
        {
            "-128": "Its size is fixed. What does not fit is cut off, and nobody says so.",
        },
        {"128": "128", "127": "127", "-128": "-128", "an error": "an error"},
        judge=str,
    ),
    "all_read_first": Question(
        "Several processes read, wait until all have read, then write. What does the counter say?",
        {
            "1": "All read 0, so all write 1. The later writes put the same 1 over the first one.",
        },
        {"5": "as many as they are", "1": "1", "differs": "it differs from run to run"},
        judge=_one_or_all,
    ),
    "torn": Question(
        "Which time does the other process read?",
        {
            "10:59": "The hour was new and the minute still old. It was never that time.",
        },
        {"9:59": "9:59", "10:00": "10:00", "10:59": "10:59", "an error": "an error"},
    ),
}

CARD = Card(
    "Shared memory is a blackboard: all see it, nobody keeps order",
    {"child 1": (0, 0), "child 2": (2, 0)},
    {"counter": (1, 0)},
    [("counter", "child 1", "read"), ("child 1", "counter", "write"), ("counter", "child 2", "read"),
     ("child 2", "counter", "write")],
    """\
counter = ctx.Value("i", 0)
with counter.get_lock():
    seen = counter.value
    counter.value = seen + 1
print(counter.value)""",
    "1",
    [
        "`+= 1` reads, then writes. Hold the lock from the first to the second, or updates get lost.",
        "Numbers that belong together need one lock, for who writes them and for who reads them.",
        "Who looks again and again uses up a processor. Wait by a semaphore.",
    ],
)  # fmt: skip
