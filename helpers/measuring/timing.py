"""What communication costs: round trips, one-way streams and start-up, measured on this machine, here and now.

All durations are in seconds unless a name says otherwise.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing.connection import Connection
from typing import Any

from helpers import validate
from helpers.contexts import Context
from helpers.gc_pause import gc_paused
from helpers.measuring import placement
from helpers.measuring.humps import Hump, humps
from helpers.measuring.placement import UNSEEN, Placement
from helpers.supervision.supervisor import supervised

FEWEST, MOST = 15, 5_000  # trips a size and pair, whatever the budget
WARM_UP = 5  # trips
LARGEST = 10**9  # bytes a message
LONGEST = 3600  # s a message
MOST_RUNS = 1_000  # pairs of processes, or runs
LOOK_EVERY = 500  # trips, between two looks at where the processes run: a trip after a look may take longer
BATCHES = 8  # a size and pair, one-way
CALL_BATCHES = 5
HELLO, STOP = b"0", b""


@dataclass(frozen=True)
class Method:
    """A method of an end, by its name. It is looked up when it is used, so that a recording sees it.

    Raises TypeError or ValueError for a name that is no text.
    """

    name: str

    def __post_init__(self) -> None:
        validate.text("name", self.name)

    def __call__(self, end: Any, *message: bytes) -> Any:
        """Call it."""
        return getattr(end, self.name)(*message)


@dataclass(frozen=True)
class Mechanism:
    """A way for two processes to exchange bytes: how it is set up, and how an end sends and receives.

    `connect(ctx)` returns the two ends, ours and the child's; `send(end, message)` and `receive(end)` work on either.
    All three are importable functions, since the child finds them by name; `Method` names a method of the ends.

    Raises TypeError or ValueError for a name that is no text, or what cannot be called so.
    """

    name: str
    connect: Callable[[Context], tuple[Any, Any]]
    send: Callable[[Any, bytes], None]
    receive: Callable[[Any], bytes]

    def __post_init__(self) -> None:
        validate.text("name", self.name)
        validate.function("connect", self.connect, "a function of a context that returns two ends", 1)
        validate.function("send", self.send, "a function of an end and a message", 2)
        validate.function("receive", self.receive, "a function of an end that returns a message", 1)


def _calls_at(end: Any, mechanism: Mechanism) -> tuple[Callable[[bytes], None], Callable[[], bytes]]:
    """Return what sends and receives at an end, with as little as possible in between."""
    return _bound(mechanism.send, end), _bound(mechanism.receive, end)


def _bound(function: Callable[..., Any], end: Any) -> Callable[..., Any]:
    return getattr(end, function.name) if isinstance(function, Method) else partial(function, end)


@dataclass(frozen=True)
class Point:
    """The durations measured at one message size."""

    size: int  # bytes
    samples: tuple[int, ...]  # ns, of all pairs of processes

    @cached_property
    def median(self) -> float:
        """The duration that half of the samples stay below."""
        return statistics.median(self.samples) / 1e9

    @cached_property
    def humps(self) -> tuple[Hump, ...]:
        """The groups into which the samples fall, the largest first: one, or two where one number would mislead."""
        return humps(self.samples)

    @cached_property
    def p99(self) -> float:
        """The duration that 99 of 100 samples stay below (nearest rank)."""
        ranked = sorted(self.samples)
        return ranked[-(-len(ranked) * 99 // 100) - 1] / 1e9


@dataclass(frozen=True)
class Fit:
    """The straight line fixed + per_byte * size."""

    fixed: float
    per_byte: float

    def at(self, size: int) -> float:
        """Return the duration that the line predicts for a size in bytes."""
        return self.fixed + self.per_byte * validate.number("size", size, 0, LARGEST, "bytes")


@dataclass(frozen=True)
class Measurement:
    """Durations over message size for one mechanism, with the same loop without any message as baseline."""

    name: str
    what: str  # "round trip" or "one way"
    method: str  # start method
    pairs: int  # fresh pairs of processes
    points: tuple[Point, ...]
    baseline: Point
    placement: Placement = UNSEEN

    @cached_property
    def fit(self) -> Fit:
        """The fit to the medians, or those of the larger humps."""
        return fit_line([point.size for point in self.points], [point.humps[0].median for point in self.points])

    def at(self, size: int) -> float:
        """Return the median at a size in bytes: as measured, on the line between two measured sizes, or as at the end.

        Larger messages than any that was measured take as much longer as the fit says.
        """
        validate.number("size", size, 0, LARGEST, "bytes")
        below = max((point for point in self.points if point.size <= size), key=_size, default=None)
        above = min((point for point in self.points if point.size >= size), key=_size, default=None)
        if below is None or above is None or below.size == above.size:
            end = below or above or self.points[0]
            return end.median + self.fit.per_byte * max(0, size - end.size)
        share = (size - below.size) / (above.size - below.size)
        return below.median + share * (above.median - below.median)


def _size(point: Point) -> int:
    return point.size


def fit_line(sizes: Sequence[int], durations: Sequence[float]) -> Fit:
    """Fit fixed + per_byte * size so that the relative errors are smallest.

    Weighted least squares with standard deviations proportional to the durations (Press et al., Numerical Recipes,
    section 15.2): over several decades of size the small messages then decide the fixed cost, the large ones the cost
    per byte. Neither is negative.

    Raises TypeError or ValueError for no sizes (bytes), or not one duration (s) above 0 for each.
    """
    for number, size in enumerate(validate.sequence("sizes", sizes, "sizes in bytes, one or more")):
        validate.number(f"sizes[{number}]", size, 0, LARGEST, "bytes")
    one_each = "seconds, one for each size"
    for number, duration in enumerate(validate.sequence("durations", durations, one_each, len(sizes), len(sizes))):
        validate.seconds(f"durations[{number}]", duration, LONGEST)
    weights = [1 / duration**2 for duration in durations]
    total = sum(weights)
    mean_size = sum(w * s for w, s in zip(weights, sizes, strict=True)) / total
    mean_duration = sum(w * d for w, d in zip(weights, durations, strict=True)) / total
    spread = sum(w * (s - mean_size) ** 2 for w, s in zip(weights, sizes, strict=True))
    rise = sum(w * (s - mean_size) * d for w, s, d in zip(weights, sizes, durations, strict=True))
    per_byte = max(0.0, rise / spread) if spread else 0.0
    fixed = mean_duration - per_byte * mean_size
    if fixed >= 0:
        return Fit(fixed, per_byte)
    squares = sum(w * s * s for w, s in zip(weights, sizes, strict=True))
    return Fit(0.0, sum(w * s * d for w, s, d in zip(weights, sizes, durations, strict=True)) / squares)


def round_trips(
    mechanism: Mechanism, sizes: Sequence[int], *, pairs: int = 3, budget: float = 2.0, method: str = "spawn"
) -> Measurement:
    """Measure messages of each size (bytes) to a child that sends them back.

    `budget` is the time in seconds for all trips together. Each of the `pairs` fresh pairs of processes measures every
    size, in turn from small to large and from large to small, after a warm-up.

    Raises TypeError or ValueError for sizes that are not whole numbers above 0, for fewer than one pair, a budget not
    above 0, an unknown start method; ProcessesFailed when the child fails or the time is up.
    """
    return _measure("round trip", _echo, _time_round_trips, mechanism, sizes, pairs, budget, method)


def one_way(
    mechanism: Mechanism, sizes: Sequence[int], *, pairs: int = 3, budget: float = 2.0, method: str = "spawn"
) -> Measurement:
    """Measure streams of messages of each size (bytes) to a child that confirms only the last one of a batch.

    A sample is the duration of a batch divided by its number of messages. Arguments and errors as in `round_trips`.
    """
    return _measure("one way", _drain, _time_batches, mechanism, sizes, pairs, budget, method)


def start_up(method: str, runs: int = 5) -> list[float]:
    """Return how long it takes from `start()` until the worker runs, once for each of `runs` fresh processes.

    These children are not supervised, which would be part of what is measured; each ends by itself.
    """
    ctx = validate.context_of(method)
    validate.whole_number("runs", runs, 1, MOST_RUNS)
    return [_one_start(ctx) for _ in range(runs)]


def call_time(call: Callable[[], object], calls: int = 500) -> float:
    """Return how long a call takes, in seconds: the median over batches, of so many calls together.

    Raises TypeError for what cannot be called, TypeError or ValueError for calls that are not from 5 to 1,000,000.
    """
    validate.function("call", call, "a function without arguments", 0)
    count = validate.whole_number("calls", calls, CALL_BATCHES, 10**6) // CALL_BATCHES
    call()  # a first call may do more, such as connect
    return statistics.median(_mean_time(call, count) for _ in range(CALL_BATCHES))


def _mean_time(call: Callable[[], object], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begin) / count


def _one_start(ctx: Context) -> float:
    reader, writer = ctx.Pipe(duplex=False)
    child = ctx.Process(target=_tell_time, args=(writer,))
    begin = time.perf_counter_ns()
    child.start()
    writer.close()
    try:
        if not reader.poll(10):
            raise TimeoutError(f"a process started by {ctx.get_start_method()} did not run within 10 s")
        return (reader.recv() - begin) / 1e9
    finally:
        reader.close()
        child.join(5)
        child.kill()
        child.join()


def _tell_time(writer: Connection) -> None:
    writer.send(time.perf_counter_ns())


def _echo(mechanism: Mechanism, end: Any) -> None:
    send, receive = _calls_at(end, mechanism)
    while (message := receive()) != STOP:
        send(message)


def _drain(mechanism: Mechanism, end: Any) -> None:
    send, receive = _calls_at(end, mechanism)
    while (count := receive()) != STOP:
        for _ in range(int(count)):
            receive()
        send(b"done")


def _time_round_trips(
    mechanism: Mechanism, end: Any, message: bytes, seconds: float, look: Callable[[], None]
) -> list[int]:
    (send, receive), clock = _calls_at(end, mechanism), time.perf_counter_ns

    def trips(count: int) -> list[int]:
        samples = []
        for number in range(1, count + 1):
            begin = clock()
            send(message)
            receive()
            samples.append(clock() - begin)
            if number % LOOK_EVERY == 0 or number == count:
                look()
        return samples

    return _calibrated(trips, seconds)


def _time_batches(
    mechanism: Mechanism, end: Any, message: bytes, seconds: float, look: Callable[[], None]
) -> list[int]:
    (send, receive), clock = _calls_at(end, mechanism), time.perf_counter_ns

    def batch(count: int) -> int:
        announced = str(count).encode()
        begin = clock()
        send(announced)
        for _ in range(count):
            send(message)
        receive()
        each = (clock() - begin) // count
        look()
        return each

    each = max(1, batch(WARM_UP)) / 1e9
    # a batch is as long as the time allows, so that its announcement and confirmation hardly count
    count = max(1, min(MOST, int(seconds / BATCHES / each)))
    return [batch(count) for _ in range(BATCHES)]


def _calibrated(run: Callable[[int], list[int]], seconds: float) -> list[int]:
    """Warm up, then run as often as fits into the given time."""
    begin = time.perf_counter()
    run(WARM_UP)
    each = (time.perf_counter() - begin) / WARM_UP
    return run(min(MOST, max(FEWEST, int(seconds / each))))


def _measure(
    what: str,
    worker: Callable[[Mechanism, Any], None],
    take_time: Callable[[Mechanism, Any, bytes, float, Callable[[], None]], list[int]],
    mechanism: Mechanism,
    sizes: Sequence[int],
    pairs: int,
    budget: float,
    method: str,
) -> Measurement:
    _check(mechanism, sizes, pairs, budget)
    ctx = validate.context_of(method)
    share = budget / (pairs * (len(sizes) + 1))
    samples: dict[int, list[int]] = {size: [] for size in sorted(sizes)}
    null = Mechanism("nothing", mechanism.connect, _nothing, _nothing)
    idle: list[int] = []
    looks: list[Placement] = []
    for pair in range(pairs):
        # turning the order round keeps a drift of the machine from looking like an effect of size
        order = list(samples) if pair % 2 == 0 else list(reversed(samples))
        with supervised(deadline=5 * budget + 10), gc_paused():
            ours, theirs = mechanism.connect(ctx)
            child = ctx.Process(target=worker, args=(mechanism, theirs), name=f"{mechanism.name} partner")
            child.start()
            mechanism.send(ours, HELLO)
            mechanism.receive(ours)
            look_at_child = partial(_note_placement, looks, child.pid or 0)
            for size in order:
                samples[size] += take_time(mechanism, ours, bytes(size), share, look_at_child)
            idle += _time_round_trips(null, ours, b"", share / 4, _nothing)
            mechanism.send(ours, STOP)
    points = tuple(Point(size, tuple(taken)) for size, taken in samples.items())
    return Measurement(mechanism.name, what, method, pairs, points, Point(0, tuple(idle)), sum(looks, UNSEEN))


def _note_placement(looks: list[Placement], child: int) -> None:
    looks.append(placement.look(child))


def _nothing(*_: object) -> Any:
    """Stand in for both `send` and `receive`."""


def _check(mechanism: Mechanism, sizes: Sequence[int], pairs: int, budget: float) -> None:
    validate.instance("mechanism", mechanism, Mechanism, "a Mechanism, such as mechanisms.PIPE")
    for number, size in enumerate(validate.sequence("sizes", sizes, "sizes in bytes, one or more")):
        validate.whole_number(f"sizes[{number}]", size, 1, LARGEST)
    validate.whole_number("pairs", pairs, 1, MOST_RUNS)
    validate.seconds("budget", budget, 600)
