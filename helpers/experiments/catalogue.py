"""The experiments, by name: what the lessons measure, each with parameters that say what they allow."""

import itertools
import random
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

from helpers import validate
from helpers.experiments.declaration import METHOD, Choice, Experiment, Measure, Number, Parameter, Rows, Several, Told
from helpers.lessons import choosing, interleavings, manager, shared_memory
from helpers.measuring import mechanisms, timing
from helpers.measuring.repeats import Repeats, repeat
from helpers.measuring.results import Case
from helpers.measuring.timing import Measurement, Mechanism
from helpers.scheduling.real.free_runs import sample
from helpers.supervision.supervisor import MAX_DEADLINE, supervised
from helpers.words import plural

EXPERIMENTS: dict[str, Experiment] = {}
VALUES = 10  # kept of each pair of processes and size
A_START = 1.0  # s that the start of a process may take, on a machine that is busy

_MECHANISMS = {each.name: each for each in mechanisms.ALL}
MECHANISMS = Several(tuple(_MECHANISMS), Choice("Pipe", lambda: _MECHANISMS))
SIZES = Several((100, 100_000), Number(100, 1, mechanisms.ROOM, "bytes"))
PAIRS = Number(8, 1, 100)
BUDGET = Number(0.2, 0.01, 60.0, "seconds a pair of processes")
SEED = Number(0, 0, 2**31)
SCENARIOS = {
    "increments": interleavings.increments,
    "locked_increments": interleavings.locked_increments,
}


def find(name: str) -> Experiment:
    """Return an experiment by its name; TypeError or ValueError if there is none of that name."""
    return EXPERIMENTS[validate.one_of("name", name, EXPERIMENTS)]


def _experiment(seconds: float, **parameters: Parameter) -> Callable[[Measure], Measure]:
    """Declare what a function measures: it is called with a function for progress, and a value for each parameter."""

    def declare(measure: Measure) -> Measure:
        name = measure.__name__
        EXPERIMENTS[name] = Experiment(name, measure, parameters, seconds)
        return measure

    return declare


@_experiment(30, method=METHOD, mechanisms=MECHANISMS, sizes=SIZES, pairs=PAIRS, budget=BUDGET, seed=SEED)
def round_trips(progress: Told, **settings: Any) -> Rows:
    """Measure how long a message takes to another process and back."""
    return _in_pairs(timing.round_trips, progress, **settings)


@_experiment(30, method=METHOD, mechanisms=MECHANISMS, sizes=SIZES, pairs=PAIRS, budget=BUDGET, seed=SEED)
def streams(progress: Told, **settings: Any) -> Rows:
    """Measure how long a message takes in a stream of them, one way."""
    return _in_pairs(timing.one_way, progress, **settings)


def _in_pairs(
    measure: Callable[..., Measurement],
    progress: Told,
    method: str,
    mechanisms: Sequence[str],
    sizes: Sequence[int],
    pairs: int,
    budget: float,
    seed: int,
) -> Rows:
    """Measure all mechanisms in one fresh pair of processes each, and that again `pairs` times.

    The order is drawn anew each time, so that a drift of the machine is no difference between mechanisms.
    """
    order, draw = list(dict.fromkeys(mechanisms)), random.Random(seed)
    rows: dict[str, list[tuple[float, ...]]] = {}
    for turn in range(pairs):
        for place, name in enumerate(draw.sample(order, len(order))):
            found = measure(_MECHANISMS[name], sizes, pairs=1, budget=budget, method=method)
            for point in found.points:
                label = f"{found.what}, {name}, {plural(point.size, 'byte')}"
                rows.setdefault(label, []).append(thinned(point.samples))
            progress((turn + (place + 1) / len(order)) / pairs)
    return {name: tuple(rows[name]) for name in sorted(rows, key=lambda name: _place(name, order))}


def _place(label: str, order: Sequence[str]) -> tuple[int, int]:
    _, name, size = label.split(", ")
    return order.index(name), int(size.split()[0].replace(",", ""))


def thinned(samples: Sequence[int]) -> tuple[float, ...]:
    """Return at most VALUES durations in seconds for samples (ns): each the median of as many that follow each other.

    Raises TypeError or ValueError for no samples.
    """
    validate.sequence("samples", samples, "durations in ns, one or more")
    count = min(VALUES, len(samples))
    edges = [number * len(samples) // count for number in range(count + 1)]
    medians = (statistics.median(samples[low:high]) for low, high in itertools.pairwise(edges))
    # a clock that is coarse may show no time at all
    return tuple(round(max(median, 1) / 1e9, 10) for median in medians)


@_experiment(
    15,
    method=METHOD,
    rows=Number(8, 1, 100),
    starts=Number(5, 1, 1_000),
    pause=Number(1.0, 0.0, 60.0, "seconds between two rows"),
)
def start_up(progress: Told, method: str, rows: int, starts: int, pause: float) -> Rows:
    """Measure how long it takes from start() until a worker runs, in rows of starts that follow each other.

    Starts are over soon. The pauses spread the rows, so that they differ as moments of this machine do.
    """
    taken: list[tuple[float, ...]] = []
    while len(taken) < rows:
        time.sleep(pause if taken else 0)
        taken.append(tuple(timing.start_up(method, starts)))
        progress(len(taken) / rows)
    return {"start-up": tuple(taken)}


@_experiment(15, method=METHOD, workers=Number(5, 1, 64), runs=Number(20, 1, 10_000))
def textbook_counter(progress: Told, method: str, workers: int, runs: int) -> Mapping[str, Case]:
    """Let new processes add one to a counter in shared memory, as tutorials print it, and count lost updates."""
    ctx = validate.context_of(method)

    def count() -> int:
        counter = ctx.Value("i", 0)
        _run_to_the_end([ctx.Process(target=shared_memory.add_one, args=(counter,)) for _ in range(workers)])
        return counter.value

    return _lost(f"{workers} processes add one", count, workers, runs, progress)


@_experiment(10, method=METHOD, workers=Number(3, 1, 64), runs=Number(12, 1, 10_000))
def manager_dict(progress: Told, method: str, workers: int, runs: int) -> Mapping[str, Case]:
    """Let new processes add one to an entry of a manager's dict, as tutorials print it, and count lost updates."""
    ctx = validate.context_of(method)

    def count() -> int:
        with ctx.Manager() as clerk:
            shared = clerk.dict()
            _run_to_the_end([ctx.Process(target=manager.add_as_printed, args=(shared,)) for _ in range(workers)])
            return shared["count"]

    return _lost(f"{workers} processes add one to a dict", count, workers, runs, progress)


def _run_to_the_end(children: Sequence[BaseProcess]) -> None:
    for child in children:
        child.start()
    for child in children:
        child.join()


def _lost(name: str, count: Callable[[], Hashable], due: int, runs: int, progress: Told) -> Mapping[str, Case]:
    with supervised(min(MAX_DEADLINE, 30 + runs * (due + 1) * A_START)):
        return {name: _lost_updates(repeat(count, runs, lambda done: progress(done / runs)), due)}


def _lost_updates(repeats: Repeats, due: int) -> Case:
    lost = repeats.share(lambda total: total < due)
    return Case({str(outcome): count for outcome, count in repeats.counts.items()}, "lost an update", lost.count)


@_experiment(
    10,
    method=METHOD,
    workers=Number(5, 1, 64),
    increments=Several((100, 10_000), Number(1, 1, 1_000_000)),
    window_ms=Number(0.0, 0.0, 1_000.0, "ms"),
    runs=Number(40, 1, 10_000),
)
def counter_race(
    progress: Told, method: str, workers: int, increments: Sequence[int], window_ms: float, runs: int
) -> Mapping[str, Case]:
    """Let workers that are all there add one many times to a counter in shared memory, and count lost updates."""
    ctx = validate.context_of(method)
    cases = {}
    for place, times in enumerate(increments):
        tell = partial(_tell_part, progress, place, len(increments), runs)
        repeats = shared_memory.count_often(ctx, runs, workers, times, window_ms / 1000, progress=tell)
        cases[f"{workers} workers add one {times:,} times each"] = _lost_updates(repeats, workers * times)
    return cases


def _tell_part(progress: Told, place: int, places: int, runs: int, done: int) -> None:
    progress((place + done / runs) / places)


@_experiment(20, method=METHOD, mechanisms=MECHANISMS, runs=Number(2, 1, 1_000))
def crash(progress: Told, method: str, mechanisms: Sequence[str], runs: int) -> Mapping[str, Case]:
    """Kill a reader while it waits, and look which of two later messages the next reader gets."""
    cases = {}
    for place, name in enumerate(mechanisms):
        tell = partial(_tell_part, progress, place, len(mechanisms), runs)
        repeats = repeat(partial(_what_arrived, _MECHANISMS[name], method), runs, tell)
        lost = repeats.share(lambda arrived: arrived != "1 and 2")
        cases[name] = Case(repeats.counts, "lost a message", lost.count)
    return cases


def _what_arrived(mechanism: Mechanism, method: str) -> str:
    return " and ".join(map(str, choosing.after_crash(mechanism, method))) or "none"


@_experiment(
    3,
    method=METHOD,
    scenarios=Several(tuple(SCENARIOS), Choice("increments", lambda: SCENARIOS)),
    processes=Number(2, 1, 16),
    times=Number(5, 1, 100),
    runs=Number(300, 1, 100_000),
)
def free_runs(
    progress: Told, method: str, scenarios: Sequence[str], processes: int, times: int, runs: int
) -> Mapping[str, Case]:
    """Run scenarios of the lesson on interleavings on real processes, which go as fast as they can."""
    cases = {}
    for place, name in enumerate(scenarios):
        seen = sample(SCENARIOS[name](processes, times), runs, method, deadline=30 + runs * A_START / 10)
        counts = {str(outcome): count for outcome, count in seen.outcomes.items()}
        hits = runs - seen.outcomes.get(processes * times, 0)
        cases[f"{name}, {processes} x {times}"] = Case(counts, "lost an update", hits)
        progress((place + 1) / len(scenarios))
    return cases
