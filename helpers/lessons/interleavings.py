"""The scenarios of the lesson on interleavings: each worker yields wherever the scheduler may switch."""

import time
from collections.abc import Callable, Generator, Mapping
from ctypes import Array as CArray
from multiprocessing import synchronize
from multiprocessing.sharedctypes import Synchronized
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.scheduling.program.handles import (
    Barrier,
    Condition,
    Dict,
    Integer,
    Lock,
    Memory,
    PipeEnd,
    Queue,
    Semaphore,
)
from helpers.scheduling.program.scenario import Scenario

if TYPE_CHECKING:
    from helpers.show.theme import Picture

Steps = Generator[str | bool | None, None, None]
Workers = list[tuple[Any, tuple]]

MOST_PROCESSES = 64  # to run; to explore all schedules of a few is plenty
MOST_TIMES = 10_000
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


def increments(processes: int = 2, times: int = 1) -> Scenario:
    """Processes that each add to one counter, with nothing to protect it.

    Raises TypeError or ValueError for processes that are not from 1 to 64, or times that are not from 1 to 10,000.
    """
    validate.whole_number("processes", processes, 1, MOST_PROCESSES)
    validate.whole_number("times", times, 1, MOST_TIMES)

    def increments(memory: Memory) -> Workers:
        counter = memory.integer("counter", 0)
        return [(increment, (counter, times))] * processes

    return Scenario(increments)


_unlocked = increments  # under a name that no parameter hides


def add(counter: Integer, times: int = 1) -> Steps:
    """Add one to the counter by one statement: one step that can be expanded into its accesses."""
    for _ in range(times):
        counter.value += 1
        yield "counter.value += 1"


def additions(processes: int = 2, times: int = 1) -> Scenario:
    """Processes that each add to one counter by a single statement.

    Raises TypeError or ValueError for processes that are not from 1 to 64, or times that are not from 1 to 10,000.
    """
    validate.whole_number("processes", processes, 1, MOST_PROCESSES)
    validate.whole_number("times", times, 1, MOST_TIMES)

    def additions(memory: Memory) -> Workers:
        counter = memory.integer("counter", 0)
        return [(add, (counter, times))] * processes

    return Scenario(additions)


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


def locked_increments(processes: int = 2, times: int = 1) -> Scenario:
    """Processes that each add to one counter under a lock.

    Raises TypeError or ValueError for processes that are not from 1 to 64, or times that are not from 1 to 10,000.
    """
    validate.whole_number("processes", processes, 1, MOST_PROCESSES)
    validate.whole_number("times", times, 1, MOST_TIMES)

    def locked_increments(memory: Memory) -> Workers:
        counter, lock = memory.integer("counter", 0), memory.lock("lock")
        return [(increment_locked, (counter, lock, times))] * processes

    return Scenario(locked_increments)


def sell(stock: Dict, sold: Dict, seller: str) -> Steps:
    """Sell a ticket if there is one: check, then act."""
    left = stock["tickets"]
    yield f"sees {left}"
    if left > 0:
        stock["tickets"] = left - 1
        yield f"takes one of {left}"
        sold[seller] = True
        yield "sells it"


def check_then_act(sellers: int = 2, tickets: int = 1) -> Scenario:
    """Sellers share a dict of tickets; they must not sell more than there are. The outcome is how many they sold.

    Raises TypeError or ValueError for sellers that are not from 1 to 64, or tickets that are not from 0 to 10,000.
    """
    validate.whole_number("sellers", sellers, 1, MOST_PROCESSES)
    validate.whole_number("tickets", tickets, 0, MOST_TIMES)

    def check_then_act(memory: Memory) -> Workers:
        stock, sold = memory.dict("stock", {"tickets": tickets}), memory.dict("sold")
        return [(sell, (stock, sold, f"seller {number}")) for number in range(sellers)]

    def enough(shared: Mapping[str, Any]) -> bool:
        return len(shared["sold"]) <= tickets

    return Scenario(check_then_act, outcome=lambda shared: len(shared["sold"]), invariant=enough)


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


def locked_check_then_act(sellers: int = 2, tickets: int = 1) -> Scenario:
    """Sellers as in `check_then_act`, who check and act under one lock.

    Raises TypeError or ValueError for sellers that are not from 1 to 64, or tickets that are not from 0 to 10,000.
    """
    unlocked = check_then_act(sellers, tickets)

    def locked_check_then_act(memory: Memory) -> Workers:
        stock, sold = memory.dict("stock", {"tickets": tickets}), memory.dict("sold")
        till = memory.lock("till")
        return [(sell_locked, (stock, sold, till, f"seller {number}")) for number in range(sellers)]

    return unlocked._replace(build=locked_check_then_act)


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


def philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table, each of whom takes the fork to the left first. The outcome is how many have eaten.

    Raises TypeError or ValueError for a number that is not from 2 to 64.
    """
    validate.whole_number("number", number, 2, MOST_PROCESSES)

    def philosophers(memory: Memory) -> Workers:
        return _table(memory, [(i, (i + 1) % number) for i in range(number)])

    return Scenario(philosophers, outcome=_meals)


def ordered_philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table, each of whom takes the fork with the lower number first.

    Raises TypeError or ValueError for a number that is not from 2 to 64.
    """
    validate.whole_number("number", number, 2, MOST_PROCESSES)

    def ordered_philosophers(memory: Memory) -> Workers:
        return _table(memory, [tuple(sorted((i, (i + 1) % number))) for i in range(number)])

    return Scenario(ordered_philosophers, outcome=_meals)


def _table(memory: Memory, pairs: list[tuple[int, int]]) -> Workers:
    forks = [memory.lock(f"fork {i}") for i in range(len(pairs))]
    meals = [memory.integer(f"meals {i}") for i in range(len(pairs))]
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


def peterson() -> Scenario:
    """Two processes keep each other out of a critical section with three shared integers."""

    def peterson(memory: Memory) -> Workers:
        return _two_at_the_door(memory, take_turns)

    return Scenario(peterson, invariant=at_most_one_inside)


def _two_at_the_door(memory: Memory, worker: Callable[..., Steps]) -> Workers:
    wants = [memory.integer("process 0 wants"), memory.integer("process 1 wants")]
    turn, inside = memory.integer("turn"), memory.integer("inside")
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


def late_peterson() -> Scenario:
    """Peterson's algorithm as a processor may carry it out that keeps back its writes."""

    def late_peterson(memory: Memory) -> Workers:
        return _two_at_the_door(memory, take_turns_late)

    return Scenario(late_peterson, invariant=at_most_one_inside)


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


def bounded_queue(maxsize: int = 1, items: int = 3) -> Scenario:
    """One producer, one consumer, and a queue between them that is soon full. The outcome is the consumer's sum.

    Raises TypeError or ValueError for a size or a number of items that is not from 1 to 10,000.
    """
    validate.whole_number("maxsize", maxsize, 1, MOST_TIMES)
    validate.whole_number("items", items, 1, MOST_TIMES)

    def bounded_queue(memory: Memory) -> Workers:
        queue, total = memory.queue("queue", maxsize), memory.integer("total")
        return [(produce, (queue, items)), (consume, (queue, total, items))]

    return Scenario(bounded_queue, outcome=lambda shared: shared["total"])


def meet(barrier: Barrier, here: Integer, there: Integer) -> Steps:
    """Write a number before the meeting, read the other's after it."""
    here.value = 1
    yield "write"
    yield from barrier.wait()
    there.value += there.value
    yield "double the other's"


def rendezvous() -> Scenario:
    """Two processes meet at a barrier, so that each finds what the other wrote before."""

    def rendezvous(memory: Memory) -> Workers:
        one, other, barrier = memory.integer("one"), memory.integer("other"), memory.barrier("barrier", 2)
        return [(meet, (barrier, one, other)), (meet, (barrier, other, one))]

    return Scenario(rendezvous)


def await_parcel(condition: Condition, parcels: Integer) -> Steps:
    """Sleep until there is a parcel, then take it."""
    yield condition.acquire()
    while parcels.value == 0:
        yield from condition.wait()
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


def deliveries(number: int = 1) -> Scenario:
    """As many who wait on a condition as there are who notify it.

    Raises TypeError or ValueError for a number that is not from 1 to 32.
    """
    validate.whole_number("number", number, 1, MOST_PROCESSES // 2)

    def deliveries(memory: Memory) -> Workers:
        condition, parcels = memory.condition("bell"), memory.integer("parcels")
        return [(await_parcel, (condition, parcels))] * number + [(deliver, (condition, parcels))] * number

    return Scenario(deliveries)


def visit(door: Semaphore, inside: Integer) -> Steps:
    """Go in when there is room, and come out again."""
    yield door.acquire()
    inside.value = 1
    yield "enter"
    inside.value = 0
    yield "leave"
    door.release()
    yield "release"


def crowded_room(guests: int = 3, room: int = 2) -> Scenario:
    """A semaphore lets only so many into a room.

    Raises TypeError or ValueError for a number of guests, or of places in the room, that is not from 1 to 64.
    """
    validate.whole_number("guests", guests, 1, MOST_PROCESSES)
    validate.whole_number("room", room, 1, MOST_PROCESSES)

    def crowded_room(memory: Memory) -> Workers:
        door = memory.semaphore("door", room)
        return [(visit, (door, memory.integer(f"guest {i}"))) for i in range(guests)]

    def not_too_many(shared: Mapping[str, Any]) -> bool:
        return sum(value for name, value in shared.items() if name.startswith("guest")) <= room

    return Scenario(crowded_room, invariant=not_too_many)


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


def telephone() -> Scenario:
    """A question and its answer through a pipe. The outcome is the answer."""

    def telephone(memory: Memory) -> Workers:
        ours, theirs = memory.pipe("line")
        return [(ask, (ours, memory.integer("answer"), 21)), (reply, (theirs,))]

    return Scenario(telephone, outcome=lambda shared: shared["answer"])


def play(workers: int, increments: int, lock: str) -> "tuple[Picture, str]":
    """Count the schedules of so many workers, let them run on real processes too; the panel of lesson 06.

    `lock` is "yes" or "no". Return the outcomes by both models and as observed, and in words what they come to.
    Raises TypeError or ValueError for workers or increments that are not from 1 to 3, or another word.
    """
    validate.whole_number("workers", workers, 1, PANEL_WORKERS)
    validate.whole_number("increments", increments, 1, PANEL_INCREMENTS)
    locked = validate.one_of("lock", lock, ["no", "yes"]) == "yes"
    from helpers.scheduling import explore, sample
    from helpers.show.figures.schedules import compare, percent

    due = workers * increments
    scenario = (locked_increments if locked else _unlocked)(workers, increments)
    explored, seen = explore(scenario), sample(scenario, PANEL_RUNS)
    losing = explored.schedules - explored.outcomes[due]
    verdict = f"{workers} x {increments}: {explored.schedules:,} schedules, and {losing:,} of them lose an update. "
    if losing:
        likely = explored.probability(lambda state: state.outcome < due, "coin")
        verdict += f"With a fair coin {percent(float(likely))} lose. The lowest result is {min(explored.outcomes)}."
    else:
        verdict += "That is a proof: all schedules were counted."
    right = seen.outcomes.get(due, 0)
    return compare(
        explored, seen, lambda total: total < due
    ), f"{verdict} {right} of {seen.runs} runs ended with {due}."
