"""What a recorded event costs: the median of a call with and without the recorder, in one process, and their ratio.

And how long it takes to read a million of them, beside the time in which they were made.
"""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing import get_context

from helpers.recording.recorder import record

ROUNDS, CALLS = 20, 200  # in turns, because the speed of a machine changes from second to second
BUDGET = 5.0  # µs an event
MANY, READ_BUDGET = 1_000_000, 3.0  # events, seconds


def durations(call: Callable[[], object]) -> list[float]:
    """Return how long each call takes, in µs."""
    samples = []
    for _ in range(CALLS):
        begin = time.perf_counter_ns()
        call()
        samples.append((time.perf_counter_ns() - begin) / 1e3)
    return samples


def cases() -> dict[str, tuple[Callable[[], object], int]]:
    """Return calls that never wait, each with the number of events that it causes."""
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    queue, lock, value = ctx.SimpleQueue(), ctx.Lock(), ctx.Value("i", 0)

    def pipe() -> None:
        writer.send_bytes(b"message")
        reader.recv_bytes()

    def simple_queue() -> None:
        queue.put("item")
        queue.get()

    def with_lock() -> None:
        with lock:
            pass

    def add_one() -> None:
        with value.get_lock():
            value.value += 1

    return {"send_bytes, recv_bytes": (pipe, 2), "put, get": (simple_queue, 2), "with lock": (with_lock, 2),
            "value.value += 1 with its lock": (add_one, 6)}  # fmt: skip


def medians() -> dict[str, tuple[float, float]]:
    """Return the median duration of each call without and with the recorder, in µs."""
    plain, recorded = defaultdict(list), defaultdict(list)
    for _ in range(ROUNDS):
        for name, (call, _) in cases().items():
            plain[name] += durations(call)
        with record(deadline=60):
            for name, (call, _) in cases().items():
                recorded[name] += durations(call)
    return {name: (statistics.median(plain[name]), statistics.median(recorded[name])) for name in plain}


def many() -> tuple[float, float]:
    """Return how long it takes to make and record many events, and then to read them, in s."""
    with record(deadline=120) as run:
        queue = get_context("spawn").SimpleQueue()
        begin = time.perf_counter()
        for _ in range(MANY // 2):
            queue.put(None)
            queue.get()
        over = time.perf_counter()
    end = time.perf_counter()
    assert (len(run.events), run.left_out) == (MANY, 0)
    return over - begin, end - over


if __name__ == "__main__":
    events = {name: count for name, (_, count) in cases().items()}
    print(f"{'call':<32} {'plain':>9} {'recorded':>9} {'ratio':>6} {'an event costs':>15}")
    costs = []
    for name, (plain, recorded) in medians().items():
        costs.append((recorded - plain) / events[name])
        print(f"{name:<32} {plain:>6.2f} µs {recorded:>6.2f} µs {recorded / plain:>6.1f} {costs[-1]:>12.2f} µs")
    median = statistics.median(costs)
    verdict = "within" if median <= BUDGET else "above"
    print(f"an event costs {median:.2f} µs (median), {verdict} the {BUDGET:g} µs allowed")
    making, reading = many()
    verdict = "within" if reading <= READ_BUDGET else "above"
    print(
        f"{MANY:,} events: made in {making:.1f} s, read in {reading:.1f} s ({reading / making:.2f} of that), ", end=""
    )
    print(f"{verdict} the {READ_BUDGET:g} s allowed")
