"""Compare the timing instrument with a bare loop written by hand, in the same run: the medians' ratio."""

import statistics
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection

from helpers.measuring.mechanisms import PIPE_BYTES
from helpers.measuring.timing import round_trips

SIZES = [10, 1_000, 100_000]
TRIPS = 3_000
ROUNDS = 5


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


if __name__ == "__main__":
    print(f"{'size':>9}  {'bare loop':>10}  {'instrument':>10}  ratio   (medians of {ROUNDS} runs of each, in turn)")
    for size in SIZES:
        pairs = [(bare(size), round_trips(PIPE_BYTES, [size], budget=1.0).points[0].median) for _ in range(ROUNDS)]
        hand, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{size:>9,}  {hand * 1e6:>7.1f} µs  {ours * 1e6:>7.1f} µs  {ours / hand:.3f}")
