"""The scenarios of the lesson on interleavings: each worker yields wherever the scheduler may switch."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from ctypes import Array as CArray
from multiprocessing import synchronize
from multiprocessing.sharedctypes import Synchronized
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.questions import Question
from helpers.scheduling.program.handles import (
    Barrier,
    Condition,
    Dict,
    Integer,
    Lock,
    PipeEnd,
    Queue,
    Semaphore,
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


def dine(first: Lock, second: Lock, meals: Integer) -> Steps:
    """Take one fork, then the other, and eat."""
    yield first.acquire()
    yield second.acquire()
    meals.value = 1
    yield "eat"
    second.release()
    yield "put the second fork down"
    first.release()
    yield "put the first fork down"


@scenario(number=(2, MAX_PROCESSES))
def philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table, each of whom takes the fork to the left first. The outcome is how many have eaten."""

    def build(objects: SharedObjects) -> Workers:
        return _table(objects, [(i, (i + 1) % number) for i in range(number)])

    return Scenario(build, outcome=_meals)


@scenario(number=(2, MAX_PROCESSES))
def ordered_philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table, each of whom takes the fork with the lower number first."""

    def build(objects: SharedObjects) -> Workers:
        return _table(objects, [tuple(sorted((i, (i + 1) % number))) for i in range(number)])

    return Scenario(build, outcome=_meals)


def _table(objects: SharedObjects, pairs: Sequence[tuple[int, ...]]) -> Workers:
    forks = [objects.lock(f"fork {i}") for i in range(len(pairs))]
    meals = [objects.integer(f"meals {i}") for i in range(len(pairs))]
    return [(dine, (forks[first], forks[second], meals[i])) for i, (first, second) in enumerate(pairs)]


def _meals(shared: Mapping[str, Any]) -> int:
    return sum(value for name, value in shared.items() if name.startswith("meals"))


def take_turns(mine: Integer, theirs: Integer, turn: Integer, me: int, inside: Integer) -> Steps:
    """Enter the critical section by Peterson's algorithm (1981), which needs no lock."""
    mine.value = 1
    yield "I want to enter"
    turn.value = 1 - me
    yield "after you"
    while theirs.value and turn.value != me:
        yield "wait"
    inside.value += 1
    yield "enter"
    inside.value -= 1
    yield "leave"
    mine.value = 0
    yield "done"


@scenario()
def peterson() -> Scenario:
    """Two processes keep each other out of a critical section with three shared integers."""

    def build(objects: SharedObjects) -> Workers:
        return _two_at_the_door(objects, take_turns)

    return Scenario(build, invariant=at_most_one_inside)


def _two_at_the_door(objects: SharedObjects, worker: Callable[..., Steps]) -> Workers:
    wants = [objects.integer("process 0 wants"), objects.integer("process 1 wants")]
    turn, inside = objects.integer("turn"), objects.integer("inside")
    return [(worker, (wants[me], wants[1 - me], turn, me, inside)) for me in (0, 1)]


def take_turns_late(mine: Integer, theirs: Integer, turn: Integer, me: int, inside: Integer) -> Steps:
    """Peterson's algorithm, where the first look at the other's wish overtakes one's own two writes."""
    they_want = theirs.value
    yield "look, while my writes are still on their way"
    mine.value = 1
    yield "I want to enter"
    turn.value = 1 - me
    yield "after you"
    while they_want and turn.value != me:
        yield "wait"
        they_want = theirs.value
    inside.value += 1
    yield "enter"
    inside.value -= 1
    yield "leave"
    mine.value = 0
    yield "done"


@scenario()
def late_peterson() -> Scenario:
    """Peterson's algorithm as a processor may carry it out that keeps back its writes."""

    def build(objects: SharedObjects) -> Workers:
        return _two_at_the_door(objects, take_turns_late)

    return Scenario(build, invariant=at_most_one_inside)


def at_most_one_inside(shared: Mapping[str, Any]) -> bool:
    """Mutual exclusion."""
    return shared["inside"] <= 1


def produce(queue: Queue, items: int) -> Steps:
    """Put items into the queue; wait while it is full."""
    for item in range(items):
        queue.put(item)
        yield f"put {item}"


def consume(queue: Queue, total: Integer, items: int) -> Steps:
    """Take items from the queue; wait while it is empty."""
    for _ in range(items):
        item = queue.get()
        yield f"got {item}"
        total.value += item
        yield f"add {item}"


@scenario(maxsize=(1, MAX_TIMES), items=(1, MAX_TIMES))
def bounded_queue(maxsize: int = 1, items: int = 3) -> Scenario:
    """One producer, one consumer, and a queue between them that is soon full. The outcome is the consumer's sum."""

    def build(objects: SharedObjects) -> Workers:
        queue, total = objects.queue("queue", maxsize), objects.integer("total")
        return [(produce, (queue, items)), (consume, (queue, total, items))]

    return Scenario(build, outcome=lambda shared: shared["total"])


def meet(barrier: Barrier, here: Integer, there: Integer) -> Steps:
    """Write a number before the meeting, read the other's after it."""
    here.value = 1
    yield "write"
    barrier.wait()
    yield "meet"
    there.value += there.value
    yield "double the other's"


@scenario()
def rendezvous() -> Scenario:
    """Two processes meet at a barrier, so that each finds what the other wrote before."""

    def build(objects: SharedObjects) -> Workers:
        one, other, barrier = objects.integer("one"), objects.integer("other"), objects.barrier("barrier", 2)
        return [(meet, (barrier, one, other)), (meet, (barrier, other, one))]

    return Scenario(build)


def await_parcel(condition: Condition, parcels: Integer) -> Steps:
    """Sleep until there is a parcel, then take it."""
    yield condition.acquire()
    while parcels.value == 0:
        condition.wait()
    parcels.value -= 1
    yield "take a parcel"
    condition.release()
    yield "release"


def deliver(condition: Condition, parcels: Integer) -> Steps:
    """Bring a parcel and wake who waits for it."""
    yield condition.acquire()
    parcels.value += 1
    condition.notify()
    yield "bring a parcel"
    condition.release()
    yield "release"


@scenario(number=(1, MAX_PROCESSES // 2))
def deliveries(number: int = 1) -> Scenario:
    """As many who wait on a condition as there are who notify it."""

    def build(objects: SharedObjects) -> Workers:
        condition, parcels = objects.condition("bell"), objects.integer("parcels")
        return [(await_parcel, (condition, parcels))] * number + [(deliver, (condition, parcels))] * number

    return Scenario(build)


def visit(door: Semaphore, inside: Integer) -> Steps:
    """Go in when there is room, and come out again."""
    yield door.acquire()
    inside.value = 1
    yield "enter"
    inside.value = 0
    yield "leave"
    door.release()
    yield "release"


@scenario(guests=(1, MAX_PROCESSES), room=(1, MAX_PROCESSES))
def crowded_room(guests: int = 3, room: int = 2) -> Scenario:
    """A semaphore lets only so many into a room."""

    def build(objects: SharedObjects) -> Workers:
        door = objects.semaphore("door", room)
        return [(visit, (door, objects.integer(f"guest {i}"))) for i in range(guests)]

    def not_too_many(shared: Mapping[str, Any]) -> bool:
        return sum(value for name, value in shared.items() if name.startswith("guest")) <= room

    return Scenario(build, invariant=not_too_many)


def ask(line: PipeEnd, answer: Integer, question: int) -> Steps:
    """Send a question and keep the answer."""
    line.send(question)
    yield f"ask {question}"
    answer.value = line.recv()
    yield "hear the answer"


def reply(line: PipeEnd) -> Steps:
    """Answer one question."""
    question = line.recv()
    yield f"hear {question}"
    line.send(question * 2)
    yield f"answer {question * 2}"


@scenario()
def telephone() -> Scenario:
    """A question and its answer through a pipe. The outcome is the answer."""

    def build(objects: SharedObjects) -> Workers:
        ours, theirs = objects.pipe("line")
        return [(ask, (ours, objects.integer("answer"), 21)), (reply, (theirs,))]

    return Scenario(build, outcome=lambda shared: shared["answer"])


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


def _steps(schedule: Sequence[int]) -> str:
    return str(len(schedule))


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
    "how_soon": Question(
        "How many steps does the shortest way to a deadlock take?",
        "Each takes the first fork. Then each waits for the fork of the other.",
        {"1": "1", "2": "2", "4": "4", "8": "8"},
        judge=_steps,
    ),
}
