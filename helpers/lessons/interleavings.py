"""The scenarios of the lesson on interleavings: each worker yields wherever the scheduler may switch."""

import time
from collections.abc import Generator, Mapping
from ctypes import Array as CArray
from multiprocessing import synchronize
from multiprocessing.sharedctypes import Synchronized
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.cards import Card
from helpers.questions import Question
from helpers.scheduling.program.handles import (
    Dict,
    Integer,
    Lock,
    SharedObjects,
)
from helpers.scheduling.program.scenario import Scenario, scenario
from helpers.words import percent

if TYPE_CHECKING:
    from helpers.scheduling.model.exploration import Exploration

Steps = Generator[str | bool | None, None, None]
Workers = list[tuple[Any, tuple]]

MAX_PROCESSES = 64  # to run; to explore all schedules of a few is plenty
MAX_TIMES = 10_000
PANEL_WORKERS = PANEL_INCREMENTS = 3  # more would take the panel longer than a second
PANEL_RUNS = 300


def add_one(counter: Synchronized) -> None:
    """Add one to the counter: the textbook program, without a yield."""
    counter.value += 1


def note_halves(counter: Synchronized, start: synchronize.Barrier, moments: CArray, times: int) -> None:
    """Add one so many times. Note the moment (ns) after each reading and each writing."""
    start.wait()
    for number in range(times):
        seen = counter.value
        moments[2 * number] = time.perf_counter_ns()
        counter.value = seen + 1
        moments[2 * number + 1] = time.perf_counter_ns()


def increment(counter: Integer, times: int = 1) -> Steps:
    """Add one to the counter, in two steps: another process may write in between."""
    for _ in range(times):
        seen = counter.value
        yield f"read {seen}"
        counter.value = seen + 1
        yield f"write {seen + 1}"


@scenario(processes=(1, MAX_PROCESSES), times=(1, MAX_TIMES))
def increments(processes: int = 2, times: int = 1) -> Scenario:
    """Processes that each add to one counter, with nothing to protect it."""

    def build(objects: SharedObjects) -> Workers:
        counter = objects.integer("counter", 0)
        return [(increment, (counter, times))] * processes

    return Scenario(build)


def add(counter: Integer, times: int = 1) -> Steps:
    """Add one to the counter by one statement: one step that can be expanded into its accesses."""
    for _ in range(times):
        counter.value += 1
        yield "counter.value += 1"


@scenario(processes=(1, MAX_PROCESSES), times=(1, MAX_TIMES))
def additions(processes: int = 2, times: int = 1) -> Scenario:
    """Processes that each add to one counter by a single statement."""

    def build(objects: SharedObjects) -> Workers:
        counter = objects.integer("counter", 0)
        return [(add, (counter, times))] * processes

    return Scenario(build)


def increment_locked(counter: Integer, lock: Lock, times: int = 1) -> Steps:
    """Add one to the counter while nobody else may."""
    for _ in range(times):
        yield lock.acquire()
        seen = counter.value
        yield f"read {seen}"
        counter.value = seen + 1
        yield f"write {seen + 1}"
        lock.release()
        yield "release"


@scenario(processes=(1, MAX_PROCESSES), times=(1, MAX_TIMES))
def locked_increments(processes: int = 2, times: int = 1) -> Scenario:
    """Processes that each add to one counter under a lock."""

    def build(objects: SharedObjects) -> Workers:
        counter, lock = objects.integer("counter", 0), objects.lock("lock")
        return [(increment_locked, (counter, lock, times))] * processes

    return Scenario(build)


def sell(stock: Dict, sold: Dict, seller: str) -> Steps:
    """Sell a ticket if there is one: check, then act."""
    left = stock["tickets"]
    yield f"sees {left}"
    if left > 0:
        stock["tickets"] = left - 1
        yield f"takes one of {left}"
        sold[seller] = True
        yield "sells it"


@scenario(sellers=(1, MAX_PROCESSES), tickets=(0, MAX_TIMES))
def check_then_act(sellers: int = 2, tickets: int = 1) -> Scenario:
    """Sellers share a dict of tickets; they must not sell more than there are. The outcome is how many they sold."""

    def build(objects: SharedObjects) -> Workers:
        stock, sold = objects.dict("stock", {"tickets": tickets}), objects.dict("sold")
        return [(sell, (stock, sold, f"seller {number}")) for number in range(sellers)]

    def enough(shared: Mapping[str, Any]) -> bool:
        return len(shared["sold"]) <= tickets

    return Scenario(build, outcome=lambda shared: len(shared["sold"]), invariant=enough)


def sell_locked(stock: Dict, sold: Dict, till: Lock, seller: str) -> Steps:
    """Check and act while nobody else may."""
    yield till.acquire()
    left = stock["tickets"]
    yield f"sees {left}"
    if left > 0:
        stock["tickets"] = left - 1
        yield f"takes one of {left}"
        sold[seller] = True
        yield "sells it"
    till.release()
    yield "release"


@scenario()
def locked_check_then_act(sellers: int = 2, tickets: int = 1) -> Scenario:
    """Sellers as in `check_then_act`, who check and act under one lock."""
    unlocked = check_then_act(sellers, tickets)

    def build(objects: SharedObjects) -> Workers:
        stock, sold = objects.dict("stock", {"tickets": tickets}), objects.dict("sold")
        till = objects.lock("till")
        return [(sell_locked, (stock, sold, till, f"seller {number}")) for number in range(sellers)]

    return unlocked._replace(build=build)


BY_LOCK = {False: increments, True: locked_increments}


def play(workers: int, increments: int, lock: bool) -> tuple[dict[str, Any], str]:
    """Count the schedules of so many workers, let them run on real processes too; the panel of the lesson.

    Return what `compare` draws, the outcomes by both models and as observed, and in words what they come to.
    Raises TypeError or ValueError for workers or increments that are not from 1 to 3, or a lock that is neither True
    nor False.
    """
    validate.whole_number("workers", workers, 1, PANEL_WORKERS)
    validate.whole_number("increments", increments, 1, PANEL_INCREMENTS)
    make = BY_LOCK[validate.flag("lock", lock)]
    from helpers.scheduling import explore, sample

    due = workers * increments
    program = make(workers, increments)
    explored, seen = explore(program), sample(program, PANEL_RUNS)
    losing = explored.schedules - explored.outcomes[due]
    verdict = f"{workers} x {increments}: {explored.schedules:,} schedules, and {losing:,} of them lose an update. "
    if losing:
        likely = explored.probability(lambda state: state.outcome < due, "coin")
        verdict += f"With a fair coin {percent(float(likely))} lose. The lowest result is {min(explored.outcomes)}."
    else:
        verdict += "That is a proof: all schedules were counted."
    right = seen.outcomes.get(due, 0)
    picture = {"explored": explored, "seen": seen, "broken": lambda total: total < due}
    return picture, f"{verdict} {right} of {seen.runs} runs ended with {due}."


def _how_many_lose(explored: "Exploration") -> str:
    return f"{explored.schedules} and {explored.outcomes[1]}"


def _how_many_end_with_five(explored: "Exploration") -> str:
    share = explored.outcomes[5] / explored.schedules
    return next(key for key, limit in {"few": 0.01, "a tenth": 0.3, "half": 0.7, "most": 1.0}.items() if share <= limit)


def _lowest(explored: "Exploration") -> str:
    return min(map(str, explored.outcomes), key=int)


QUESTIONS = {
    "all_orders": Question(
        "How many schedules are there, and how many of them lose an update?",
        "Only if one process ends before the other begins is nothing lost.",
        {
            "2 and 1": "2, and 1 of them loses",
            "4 and 2": "4, and 2 of them lose",
            "6 and 2": "6, and 2 of them lose",
            "6 and 4": "6, and 4 of them lose",
        },
        judge=_how_many_lose,
    ),
    "of_five": Question(
        "Of all schedules of these five, how many end with 5?",
        "All five must stand in a line: one reads and writes, then the next one.",
        {
            "most": "nearly all",
            "half": "about half",
            "a tenth": "about one in ten",
            "few": "fewer than one in a hundred",
        },
        judge=_how_many_end_with_five,
    ),
    "lowest": Question(
        "What is the lowest number that the counter can end with?",
        "It takes two stale writes. The story below tells which.",
        {"20": "20", "10": "10", "2": "2", "1": "1"},
        judge=_lowest,
    ),
}

CARD = Card(
    "The scheduler decides whose step is next",
    {"process 0": (0, 0), "process 1": (2, 0)},
    {"scheduler": (1, 0), "counter": (1, 1)},
    [("scheduler", "process 0", "your turn"), ("scheduler", "process 1", "your turn"),
     ("process 0", "counter", "a step"), ("process 1", "counter", "a step")],
    """\
two = explore(increments(2))
print(two.schedules, two.outcomes)
print(two.shortest(ends_with(1)))
safe = explore(locked_increments(2))
print(safe.outcomes)""",
    "6 {2: 2, 1: 4}\n[0, 1, 0, 1]\n{2: 2}",
    [
        "How often an error shows says little about whether it is there.",
        "Hold one lock from the check to the act. What was seen may not be true any more.",
        "A proof is about its model: its steps, its size, its rules.",
    ],
    imports="from helpers.lessons.interleavings import increments, locked_increments\n"
    "from helpers.scheduling import ends_with, explore",
)  # fmt: skip
