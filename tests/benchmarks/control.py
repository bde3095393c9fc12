"""What control costs and gains: runs a second, a step, runs until a bug is found, and runs that merging saves.

Absolute times are of this machine at this moment; the ratios to plain runs, and the numbers of runs, are not.
"""

import functools
import os
import statistics
import sys
import time
from contextlib import suppress
from multiprocessing import get_all_start_methods
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import itertools

from helpers.control import check, rerun
from helpers.control.checking import MOST_STEPS, _Checker
from helpers.control.process_tree import ProcessTree
from helpers.control.run import OutOfTime, Run
from helpers.control.strategies import MOST_PREEMPTIONS, by_chance
from tests.control import programs
from tests.control.programs import PAIRS

METHODS = [method for method in ("fork", "forkserver", "spawn") if method in get_all_start_methods()]
LEAST_RUNS = {
    "fork": 100,
    "forkserver": 50,
    "spawn": 20,
}  # a second, of two children, on an idle machine with two cores
LONGEST_STEP = 0.1  # ms, median
ROUNDS, RUNS = 5, 40
MOST_RUNS = 2000


def runs_a_second(method: str) -> float:
    """Return how many random schedules of two children a second controls, in the best of several rounds."""
    program = functools.partial(programs.two_locked_counters, method)
    with ProcessTree(program, "operation") as tree:
        strategy = by_chance(0)
        best = 0.0
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            for _ in range(RUNS):
                execution = Run(tree, None, True, time.monotonic() + 60, MOST_STEPS).perform(strategy(0))
            best = max(best, RUNS / (time.perf_counter() - begin))
        print(f"{method:<12} {best:6.0f} runs a second of {len(execution.steps)} steps, wanted {LEAST_RUNS[method]}: "
              f"x {best / LEAST_RUNS[method]:.1f}")  # fmt: skip
    return best


def plain_runs_a_second(method: str) -> float:
    """Return how many free runs of the same program a second has."""
    begin = time.perf_counter()
    for _ in range(RUNS if method == "fork" else 5):
        programs.two_locked_counters(method)
    return (RUNS if method == "fork" else 5) / (time.perf_counter() - begin)


def step_times() -> list[float]:
    """Return how long each step between two operations of one process takes, in ms."""
    times: list[float] = []

    def choose(state, options, step):
        times.append(time.perf_counter())
        return state.default(options)

    program = functools.partial(programs.many_steps, METHODS[0], 300)
    with ProcessTree(program, "operation") as tree:
        for _ in range(ROUNDS):
            Run(tree, None, True, time.monotonic() + 60, MOST_STEPS).perform(choose)
    return [(later - earlier) * 1e3 for earlier, later in itertools.pairwise(times)]


def runs_to_try_all(program, merges: bool) -> str:
    """Return how many runs it takes to try every schedule with up to two preemptions; "+" where that is not all."""
    with ProcessTree(program, "operation") as tree:
        checker = _Checker(tree, lambda _: True, time.monotonic() + 20, merges=merges)
        with suppress(OutOfTime):
            checker.try_all(MOST_RUNS, MOST_PREEMPTIONS)
    return f"{checker.runs}" if checker.exhausted == MOST_PREEMPTIONS else f"{checker.runs} +"


def main() -> None:
    """Print all of it."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for method in METHODS:
        controlled, plain = runs_a_second(method), plain_runs_a_second(method)
        print(f"{'':<12} {plain:6.0f} free runs a second: control takes x {plain / controlled:.1f}")
    step = statistics.median(step_times())
    print(f"a step takes {step:.3f} ms (median), wanted {LONGEST_STEP}")
    for method in METHODS:
        program = functools.partial(programs.five_counters, method)
        result = check(program, lambda total: total == 5)
        print(f"textbook counter, {method}: {result.failure.outcome} in run {result.runs} after {result.seconds:.1f} s")
    program = functools.partial(programs.lost_update, METHODS[0])
    schedule = check(program, lambda total: total == 2).failure.schedule
    again = sum(rerun(program, schedule, lambda total: total == 2).failure is not None for _ in range(100))
    print(f"a failing schedule fails again in {again} of 100 runs")
    print(f"{'to try all up to 2 preemptions':<34} {'merged':>9} {'not merged':>12}")
    for name, (_, repaired, _, _) in PAIRS.items():
        merged, each = (runs_to_try_all(functools.partial(repaired, METHODS[0]), merges) for merges in (True, False))
        print(f"{name:<34} {merged:>9} {each:>12}")


if __name__ == "__main__":
    main()
