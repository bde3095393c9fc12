"""How long it takes to explore, to replay and to run free, beside a plain enumeration of all schedules.

    python -m tests.benchmarks.schedules

The plain enumeration runs every schedule from its start. Where there are too many it is timed on the first 5,000, and
its time for all of them is computed from that (marked with ~). Times are the best of three, save for long ones. SPIN
stands beside it where `spin` and a C compiler are there. The exit code is the number of goals that were missed.
"""

import statistics
import subprocess
import sys
import time
from itertools import islice, pairwise

from helpers.lessons import interleavings, synchronisation
from helpers.scheduling import ends_with, explore, keep_workers, replay, sample
from tests import scheduled
from tests.benchmarks import spin
from tests.enumeration import enumerate_schedules

LISTED = 5_000  # schedules
GOALS = {(2, 10): 0.5, (2, 20): 10.0, (5, 1): 0.2}  # seconds to explore processes with so many increments each
REPLAYS_GOAL, STEP_GOAL = 0.2, 200e-6  # seconds for 90 replays, and for one step
LONG = 1.0  # seconds; what takes longer is measured once

missed = []


def verdict(name, seconds, goal):
    """Return in words whether a goal is met, and note it if not."""
    if seconds > goal:
        missed.append(name)
    return f"goal {goal:g} s {'missed' if seconds > goal else 'met'}"


def best_time(action):
    """Return the seconds that an action takes: the best of three times, or the first if that is long."""
    times = []
    while len(times) < 3 and sum(times) < LONG:
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


def show_exploring():
    """Print a line per number of processes and increments: states, schedules, times, and their ratio."""
    print("increments    states  schedules   explored  enumerated      ratio")
    for n, k in [(2, 2), (2, 3), (3, 1), (5, 1), (2, 10), (2, 20)]:
        scenario = interleavings.increments(n, k)
        took = best_time(lambda scenario=scenario: explore(scenario).outcomes)
        explored = explore(scenario)
        plain, is_measured = enumeration_time(scenario, explored.schedules)
        enumerated = f"{'' if is_measured else '~'}{plain:.2e} s"
        goal = verdict(f"explore {n} x {k}", took, GOALS[n, k]) if (n, k) in GOALS else ""
        print(
            f"{f'{n} x {k}':>10} {len(explored):>9,} {explored.schedules:>10.3g} {took:>8.4f} s {enumerated:>11} "
            f"{plain / took:>10.3g}   {goal}"
        )


def enumeration_time(scenario, schedules):
    """Return the seconds that a plain enumeration takes, and whether all of it was measured."""
    begin = time.perf_counter()
    listed = sum(1 for _ in islice(enumerate_schedules(scenario), LISTED))
    took = time.perf_counter() - begin
    return took / listed * schedules, listed == schedules


# the scenario, how many increments and so on, and the goal: seconds to explore on a quick machine
BESIDE_SPIN = [
    (synchronisation.philosophers, (8,), 1.0),
    (synchronisation.philosophers, (9,), 5.0),
    (interleavings.increments, (2, 20), 0.5),
    (interleavings.increments, (2, 40), 20.0),
    (scheduled.bounded_queue, (8, 200), 0.1),
]
MEMORY_GOAL = 200  # bytes a state, at the end


def show_beside_spin():
    """Print the states and times of models beside those of SPIN, which has to find as many states."""
    if lacks := spin.missing():
        print(f"\nno times of SPIN beside these: it {lacks}")
    print("\n                  model     states     SPIN   explored    bytes a state")
    for build, size, goal in BESIDE_SPIN:
        name = build.__name__
        begin = time.process_time()
        explored = explore(build(*size))
        took = time.process_time() - begin
        verified = None if lacks else spin.verify(getattr(spin, name)(*size))
        assert verified is None or verified.states == len(explored), (name, size, verified, len(explored))
        memory = explored.bytes / len(explored)
        if memory > MEMORY_GOAL:
            missed.append(f"memory of {name} {size}")
        beside = "     -  " if verified is None else f"{verified.seconds:6.2f} s"
        label = f"{name} {' '.join(map(str, size))}"
        print(
            f"{label:>23} {len(explored):>10,} {beside} {took:>8.2f} s {memory:>10.0f}         "
            f"{verdict(f'explore {label}', took, goal)}"
        )
        del explored


PEAK = """
import sys
from pathlib import Path
from helpers.lessons import interleavings
from helpers.scheduling import explore

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

before = peak()
explored = explore(interleavings.increments(2, 40))
print(len(explored), peak() - before, peak())
"""
PEAK_GOAL = 2e9  # bytes


def show_peak():
    """Print the most memory that a fresh process had at once while it explored, as the system counts it."""
    if not sys.platform.startswith("linux"):
        print("\nno peak of memory: only Linux tells it in /proc")
        return
    told = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True).stdout
    states, grown, peak = map(int, told.split())
    if peak > PEAK_GOAL:
        missed.append("peak of memory")
    met = "missed" if peak > PEAK_GOAL else "met"
    print(
        f"\nincrements 2 x 40 in a fresh process: at most {peak / 1e9:.2f} GB, goal {PEAK_GOAL / 1e9:g} GB {met}; "
        f"{grown / states:.0f} bytes for each of {states:,} states"
    )


def show_replaying():
    """Print what all schedules of three increments take on real processes, once the workers are up."""
    scenario = interleavings.increments(3)
    schedules = list(explore(scenario).each_schedule())
    replays = []
    with keep_workers():
        begin = time.perf_counter()
        replay(scenario, schedules[0])
        started = time.perf_counter() - begin
        took = best_time(lambda: replays.extend(replay(scenario, schedule) for schedule in schedules))
    goal = verdict("replay 90 schedules", took, REPLAYS_GOAL)
    print(f"\nreplayed under spawn: {len(schedules)} schedules in {took:.3f} s, {goal} (workers up in {started:.2f} s)")
    show_steps("a step of these", replays)


def show_long_replay():
    """Print what a step takes in the schedule that loses most of two times ten increments."""
    scenario = interleavings.increments(2, 10)
    schedule = explore(scenario).shortest(ends_with(2))
    with keep_workers():
        replays = [replay(scenario, schedule) for _ in range(20)]
    show_steps(f"a step of {len(schedule)}, 2 x 10 down to {replays[0].outcome}", replays)


def show_steps(name, replays):
    """Print the median time from the begin of one step to the begin of the next."""
    begins = [[event.begin for event in real.trace.events] for real in replays]
    step = statistics.median(after - before for times in begins for before, after in pairwise(times)) / 1e9
    print(f"{name}: median {step * 1e6:.0f} us from begin to begin, {verdict(name, step, STEP_GOAL)}")


def show_running_free():
    """Print what a free run takes, and what free runs come to beside the two models."""
    scenario, runs = interleavings.increments(), 2000
    explored = explore(scenario)
    with keep_workers():
        sample(scenario, runs=1)
        begin = time.perf_counter()
        seen = sample(scenario, runs=runs)
        took = time.perf_counter() - begin
    print(f"\nfree runs of two increments: {took / runs * 1e6:.0f} us a run")
    for outcome in sorted(explored.outcomes):
        real = seen.frequency(outcome)
        low, high = real.interval
        uniform, coin = (float(explored.probability(outcome, model)) for model in ("uniform", "coin"))
        print(
            f"  end with {outcome}: all schedules alike {uniform:.3f}, fair coin {coin:.3f}, "
            f"this machine {real.share:.3f} (95 %: {low:.3f} to {high:.3f})"
        )


if __name__ == "__main__":
    show_exploring()
    show_beside_spin()
    show_peak()
    show_replaying()
    show_long_replay()
    show_running_free()
    print(f"\ngoals missed: {', '.join(missed) or 'none'}")
    sys.exit(len(missed))
