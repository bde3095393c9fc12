"""Compare the timing instrument with a bare loop written by hand, in turn: the ratio of the shortest medians."""

import os
import statistics
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection

from helpers.measuring.mechanisms import PIPE_BYTES
from helpers.measuring.timing import round_trips

SIZES = [10, 1_000, 100_000]
TRIPS = 3_000
ROUNDS = 12
ALLOWED = 1.05  # times as long as by hand, on one core, where nothing else hides what the instrument takes


def echo(connection: Connection) -> None:
    """Send every message back until the other side has hung up."""
    try:
        while True:
            connection.send_bytes(connection.recv_bytes())
    except EOFError:
        connection.close()


def bare(size: int) -> float:
    """Return the median round trip of a loop without any instrument, in seconds."""
    ours, theirs = get_context("spawn").Pipe()
    child = get_context("spawn").Process(target=echo, args=(theirs,))
    child.start()
    theirs.close()
    message = bytes(size)
    samples = []
    for _ in range(TRIPS):
        begin = time.perf_counter_ns()
        ours.send_bytes(message)
        ours.recv_bytes()
        samples.append(time.perf_counter_ns() - begin)
    ours.close()
    child.join()
    return statistics.median(samples[TRIPS // 10 :]) / 1e9


def compare(where: str, allowed: float | None = None) -> None:
    """Print the medians of both for each size, and whether their ratio is within what is allowed."""
    print(f"{where}\n{'size':>9}  {'bare loop':>10}  {'instrument':>10}  ratio   (medians of {ROUNDS} runs, in turn)")
    for size in SIZES:
        runs = [(bare(size), round_trips(PIPE_BYTES, [size], pairs=1, budget=0.4)) for _ in range(ROUNDS)]
        hand = statistics.median(by_hand for by_hand, _ in runs)
        ours = statistics.median(measured.points[0].median for _, measured in runs)
        # a machine that does something else disturbs single runs, the shortest ones least
        ratio = min(measured.points[0].median for _, measured in runs) / min(by_hand for by_hand, _ in runs)
        verdict = "" if allowed is None else ", within" if ratio <= allowed else ", above"
        seen = f"{runs[-1][1].placement}{verdict}"
        print(f"{size:>9,}  {hand * 1e6:>7.1f} µs  {ours * 1e6:>7.1f} µs  {ratio:.3f}   {seen}")


if __name__ == "__main__":
    compare("where the system puts them")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        compare(f"held on one core, {ALLOWED:g} allowed", ALLOWED)
