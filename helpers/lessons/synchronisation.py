"""The scenes of the lesson on synchronisation: whoever enters is to be alone, and whoever waits is to be woken.

Workers of scenarios are generators, and yield wherever the scheduler may switch. The others are plain workers.
"""

import itertools
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from multiprocessing import get_context, synchronize
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.cards import Card
from helpers.contexts import Context
from helpers.questions import Question
from helpers.recording.kinds import EventKind
from helpers.recording.recorder import record
from helpers.recording.trace import A_RECORDING, Trace
from helpers.scheduling.program.handles import (
    Barrier,
    Condition,
    Event,
    Integer,
    Lock,
    Semaphore,
    SharedObjects,
)
from helpers.scheduling.program.scenario import Scenario, scenario
from helpers.words import duration, plural

if TYPE_CHECKING:
    from helpers.scheduling.model.exploration import Exploration
    from helpers.scheduling.model.model import State

Steps = Generator[str | bool | None, None, None]
Workers = list[tuple[Any, tuple]]

MAX_PROCESSES = 64  # to run; to explore all schedules of a few is plenty
PANEL_GUESTS = 6
PANEL_PLACES = 4
PANEL_STAY = 300  # ms
CALLS = 2_000  # of each kind, to time one


def stay(door: synchronize.SemLock, seconds: float) -> None:
    """Go in, stay for so many seconds, and come out."""
    with door:
        time.sleep(seconds)


def run_at(signal: synchronize.Event, told: synchronize.Semaphore) -> None:
    """Tell that one is ready, wait for the signal, run, tell that one is there."""
    told.release()
    signal.wait()
    time.sleep(0.05)
    told.release()


def work_in_rounds(meeting: synchronize.Barrier, seconds: float) -> None:
    """Work for so many seconds, then meet the others; three times."""
    for _ in range(3):
        time.sleep(seconds)
        meeting.wait()


def visit(door: Lock | Semaphore, inside: Integer) -> Steps:
    """Go in, and come out again."""
    yield door.acquire()
    inside.value = 1
    yield "enter"
    inside.value = 0
    yield "leave"
    door.release()
    yield "release"


@scenario(guests=(1, MAX_PROCESSES))
def one_lock(guests: int = 2) -> Scenario:
    """Guests who share one lock; at most one of them may be inside."""

    def build(objects: SharedObjects) -> Workers:
        return _guests(objects, visit, [objects.lock("door")] * guests)

    return Scenario(build, invariant=alone)


@scenario(guests=(1, MAX_PROCESSES))
def own_locks(guests: int = 2) -> Scenario:
    """Guests who bring a lock each; at most one of them may be inside."""

    def build(objects: SharedObjects) -> Workers:
        return _guests(objects, visit, [objects.lock(f"lock {number}") for number in range(guests)])

    return Scenario(build, invariant=alone)


def _guests(objects: SharedObjects, worker: Callable[..., Steps], doors: Sequence[Lock | Semaphore]) -> Workers:
    return [(worker, (door, objects.integer(f"guest {number}"))) for number, door in enumerate(doors)]


def _inside(shared: Mapping[str, Any]) -> int:
    return sum(value for name, value in shared.items() if name.startswith("guest"))


def alone(shared: Mapping[str, Any]) -> bool:
    """Mutual exclusion: at most one guest is inside."""
    return _inside(shared) <= 1


def pay_in(till: Lock, total: Integer) -> None:
    """Add 10, with the till locked."""
    with till:
        total.value += 10


def pay_in_twice(till: Lock, total: Integer) -> Steps:
    """Add 10 twice, with the till locked from the first to the second."""
    with till:
        pay_in(till, total)
        pay_in(till, total)
    yield "paid twice"


@scenario()
def till_with_lock() -> Scenario:
    """One process that pays in twice, at a till with a lock."""
    return Scenario(lambda objects: [(pay_in_twice, (objects.lock("till"), objects.integer("total")))])


@scenario()
def till_with_rlock() -> Scenario:
    """One process that pays in twice, at a till with a reentrant lock."""
    return Scenario(lambda objects: [(pay_in_twice, (objects.rlock("till"), objects.integer("total")))])


@scenario(guests=(1, MAX_PROCESSES), room=(1, MAX_PROCESSES))
def crowded_room(guests: int = 3, room: int = 2) -> Scenario:
    """A semaphore lets only so many into a room."""

    def build(objects: SharedObjects) -> Workers:
        return _guests(objects, visit, [objects.semaphore("door", room)] * guests)

    return Scenario(build, invariant=lambda shared: _inside(shared) <= room)


def visit_if_free(door: Semaphore, inside: Integer) -> Steps:
    """Go in if there is room at once. In any case give the place back."""
    if door.acquire(block=False):
        inside.value = 1
        yield "enter"
        inside.value = 0
        yield "leave"
    else:
        yield "go home"
    door.release()
    yield "release"


@scenario(guests=(1, MAX_PROCESSES))
def hasty_guests(guests: int = 3) -> Scenario:
    """Guests who do not wait, and a semaphore with one place."""

    def build(objects: SharedObjects) -> Workers:
        return _guests(objects, visit_if_free, [objects.semaphore("door", 1)] * guests)

    return Scenario(build, invariant=alone)


@scenario(guests=(1, MAX_PROCESSES))
def hasty_guests_bounded(guests: int = 3) -> Scenario:
    """Guests who do not wait, and a bounded semaphore with one place."""

    def build(objects: SharedObjects) -> Workers:
        return _guests(objects, visit_if_free, [objects.bounded_semaphore("door", 1)] * guests)

    return Scenario(build, invariant=alone, raises=(ValueError,))


def without_error(explored: "Exploration") -> float:
    """Return how many schedules end, and no worker raises an error in them."""
    from helpers.scheduling import Crashed

    return sum(count for outcome, count in explored.outcomes.items() if not isinstance(outcome, Crashed))


def await_gate(gate: Event) -> Steps:
    """Wait until the gate is open."""
    gate.wait()
    yield "go through"


def open_gate(gate: Event) -> Steps:
    """Open the gate."""
    gate.set()
    yield "open"


def blink(gate: Event) -> Steps:
    """Open the gate, and close it at once."""
    gate.set()
    yield "open"
    gate.clear()
    yield "close"


@scenario()
def gate_opens() -> Scenario:
    """One who waits at a gate, and one who opens it."""
    return Scenario(lambda objects: _at_gate(objects.event("gate"), open_gate))


@scenario()
def gate_blinks() -> Scenario:
    """One who waits at a gate, and one who opens and closes it."""
    return Scenario(lambda objects: _at_gate(objects.event("gate"), blink))


def _at_gate(gate: Event, keeper: Callable[[Event], Steps]) -> Workers:
    return [(await_gate, (gate,)), (keeper, (gate,))]


def await_bell(bell: Condition) -> Steps:
    """Wait for the bell."""
    with bell:
        bell.wait()
    yield "hear the bell"


def ring(bell: Condition) -> Steps:
    """Ring the bell once."""
    with bell:
        bell.notify()
    yield "ring"


@scenario()
def one_bell() -> Scenario:
    """One who waits for the bell, and one who rings it."""

    def build(objects: SharedObjects) -> Workers:
        bell = objects.condition("bell")
        return [(await_bell, (bell,)), (ring, (bell,))]

    return Scenario(build)


def await_parcel(bell: Condition, parcels: Integer) -> Steps:
    """Wait until there is a parcel, and take it."""
    with bell:
        bell.wait_for(lambda: parcels.value > 0)
        parcels.value -= 1
    yield "take a parcel"


def deliver(bell: Condition, parcels: Integer) -> Steps:
    """Bring a parcel, and ring."""
    with bell:
        parcels.value += 1
        bell.notify()
    yield "bring a parcel"


@scenario(number=(1, MAX_PROCESSES // 2))
def deliveries(number: int = 1) -> Scenario:
    """As many who wait for a parcel as there are who bring one."""

    def build(objects: SharedObjects) -> Workers:
        bell, parcels = objects.condition("bell"), objects.integer("parcels")
        return [(await_parcel, (bell, parcels))] * number + [(deliver, (bell, parcels))] * number

    return Scenario(build)


def meet_at_gate(arrived: Integer, lock: Lock, gate: Event, done: Integer) -> Steps:
    """Three rounds; after each one wait at the gate until both are there."""
    for number in (1, 2, 3):
        done.value = number
        yield f"finish round {number}"
        with lock:
            arrived.value += 1
            if arrived.value == 2:
                gate.set()
        yield "arrive"
        gate.wait()
        yield "go on"


def meet_by_count(arrived: Integer, changed: Condition, done: Integer) -> Steps:
    """Three rounds; after each one wait until both have come so often."""
    for number in (1, 2, 3):
        done.value = number
        yield f"finish round {number}"
        with changed:
            arrived.value += 1
            changed.notify_all()
            changed.wait_for(lambda: arrived.value >= 2 * done.value)
        yield "go on"


def meet_at_barrier(barrier: Barrier, done: Integer) -> Steps:
    """Three rounds; after each one wait at the barrier."""
    for number in (1, 2, 3):
        done.value = number
        yield f"finish round {number}"
        barrier.wait()
        yield "go on"


@scenario()
def rounds_at_gate() -> Scenario:
    """Two who work in rounds, and meet at a gate."""

    def build(objects: SharedObjects) -> Workers:
        return _rounds(objects, meet_at_gate, objects.integer("arrived"), objects.lock("lock"), objects.event("gate"))

    return Scenario(build, invariant=in_step)


@scenario()
def rounds_by_count() -> Scenario:
    """Two who work in rounds, and count who has come."""

    def build(objects: SharedObjects) -> Workers:
        return _rounds(objects, meet_by_count, objects.integer("arrived"), objects.condition("changed"))

    return Scenario(build, invariant=in_step)


@scenario()
def rounds_at_barrier() -> Scenario:
    """Two who work in rounds, and meet at a barrier."""
    return Scenario(lambda objects: _rounds(objects, meet_at_barrier, objects.barrier("barrier", 2)), invariant=in_step)


def _rounds(objects: SharedObjects, worker: Callable[..., Steps], *meeting: Any) -> Workers:
    return [(worker, (*meeting, objects.integer(f"rounds of {number}"))) for number in (0, 1)]


def in_step(shared: Mapping[str, Any]) -> bool:
    """Nobody finishes a round before all have finished the one before."""
    finished = [value for name, value in shared.items() if name.startswith("rounds of")]
    return max(finished) - min(finished) <= 1


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


def dine_on_chair(chairs: Semaphore, first: Lock, second: Lock, meals: Integer) -> Steps:
    """Take a chair, then eat as before; there is a chair less than guests."""
    yield chairs.acquire()
    yield from dine(first, second, meals)
    chairs.release()
    yield "stand up"


def dine_politely(first: Lock, second: Lock, meals: Integer) -> Steps:
    """Take one fork; if the other is taken, put it down and try again."""
    yield first.acquire()
    while not second.acquire(block=False):
        first.release()
        yield "put the fork down"
        yield first.acquire()
    meals.value = 1
    yield "eat"
    second.release()
    first.release()
    yield "put both forks down"


@scenario(number=(2, MAX_PROCESSES))
def philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table, each of whom takes the fork to the left first. The outcome is how many have eaten."""
    return Scenario(lambda objects: _table(objects, dine, _round(number)), outcome=_meals)


@scenario(number=(2, MAX_PROCESSES))
def ordered_philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table, each of whom takes the fork with the lower number first."""
    pairs = [(min(pair), max(pair)) for pair in _round(number)]
    return Scenario(lambda objects: _table(objects, dine, pairs), outcome=_meals)


@scenario(number=(2, MAX_PROCESSES))
def seated_philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table with a chair less than philosophers."""

    def build(objects: SharedObjects) -> Workers:
        chairs = objects.semaphore("chairs", number - 1)
        return [(dine_on_chair, (chairs, *own)) for _, own in _table(objects, dine, _round(number))]

    return Scenario(build, outcome=_meals)


@scenario(number=(2, MAX_PROCESSES))
def polite_philosophers(number: int = 2) -> Scenario:
    """Philosophers round a table, each of whom puts the first fork down if the second one is taken."""
    return Scenario(lambda objects: _table(objects, dine_politely, _round(number)), outcome=_meals)


def _round(number: int) -> list[tuple[int, int]]:
    return [(place, (place + 1) % number) for place in range(number)]


def _table(objects: SharedObjects, worker: Callable[..., Steps], pairs: Sequence[tuple[int, int]]) -> Workers:
    forks = [objects.lock(f"fork {place}") for place in range(len(pairs))]
    meals = [objects.integer(f"meals {place}") for place in range(len(pairs))]
    return [(worker, (forks[first], forks[second], meals[place])) for place, (first, second) in enumerate(pairs)]


def _meals(shared: Mapping[str, Any]) -> int:
    return sum(value for name, value in shared.items() if name.startswith("meals"))


REPAIRS = {
    "no repair": philosophers,
    "lower fork first": ordered_philosophers,
    "a chair less": seated_philosophers,
    "put it down again": polite_philosophers,
}


def at_table(explored: "Exploration") -> str:
    """Say what can happen at a table: how many schedules deadlock, and whether one can go on for ever and never eat."""
    from helpers.scheduling import starves

    hungry = any(starves(explored, number) for number in range(len(explored.model.names)))
    count = f"of {explored.schedules:,}" if explored.schedules < math.inf else "of endlessly many"
    said = "yes" if hungry else "no"
    return f"{explored.deadlocks} {count} schedules deadlock; taking forks for ever, and no meal: {said}"


def read(door: Lock, readers: Integer, room: Lock, reading: Integer) -> Steps:
    """Read again and again, together with others who read."""
    while True:
        with door:
            readers.value += 1
            if readers.value == 1:  # the first one in locks the room
                room.acquire()
        reading.value = 1
        yield "read"
        reading.value = 0
        with door:
            readers.value -= 1
            if readers.value == 0:  # the last one out unlocks it
                room.release()
        yield "leave"


def write(room: Lock, writing: Integer) -> Steps:
    """Write once, alone in the room."""
    with room:
        writing.value = 1
        yield "write"
        writing.value = 0
    yield "leave"


@scenario(readers=(1, MAX_PROCESSES - 1))
def readers_and_writer(readers: int = 2) -> Scenario:
    """Readers who come again and again, and one writer, who must be alone."""

    def build(objects: SharedObjects) -> Workers:
        door, inside, room = objects.lock("door"), objects.integer("readers"), objects.lock("room")
        reading = [(read, (door, inside, room, objects.integer(f"reader {number}"))) for number in range(readers)]
        return [*reading, (write, (room, objects.integer("writer")))]

    def no_reader_meets_the_writer(shared: Mapping[str, Any]) -> bool:
        return not (shared["writer"] and any(shared[f"reader {number}"] for number in range(readers)))

    return Scenario(build, invariant=no_reader_meets_the_writer, endless=("read",))


def come_again(door: Lock, inside: Integer) -> Steps:
    """Go in and come out, for ever."""
    while True:
        yield door.acquire()
        inside.value = 1
        yield "enter"
        inside.value = 0
        door.release()
        yield "leave"


def take_turns(changed: Condition, turn: Integer, me: int, inside: Integer) -> Steps:
    """Wait for one's turn, go in, and hand the turn over; for ever."""
    while True:
        with changed:
            changed.wait_for(lambda: turn.value == me)
        inside.value = 1
        yield "enter"
        inside.value = 0
        with changed:
            turn.value = 1 - me
            changed.notify_all()
        yield "hand over"


@scenario()
def greedy_guests() -> Scenario:
    """Two guests who come again and again through one door with a lock."""

    def build(objects: SharedObjects) -> Workers:
        return _guests(objects, come_again, [objects.lock("door")] * 2)

    return Scenario(build, invariant=alone, endless=("come_again",))


@scenario()
def taking_turns() -> Scenario:
    """Two guests who come again and again, and hand the turn over to each other."""

    def build(objects: SharedObjects) -> Workers:
        shared = objects.condition("changed"), objects.integer("turn")
        return [(take_turns, (*shared, me, objects.integer(f"guest {me}"))) for me in (0, 1)]

    return Scenario(build, invariant=alone, endless=("take_turns",))


def is_inside(state: "State") -> bool:
    """Tell whether guest 0 is inside."""
    return bool(state.shared["guest 0"])


def enter_politely(
    mine: Integer,
    theirs: Integer,
    turn: Integer,
    me: int,
    inside: Integer,
) -> Steps:
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
        return _two_at_the_door(objects, enter_politely)

    return Scenario(build, invariant=at_most_one_inside)


def _two_at_the_door(objects: SharedObjects, worker: Callable[..., Steps]) -> Workers:
    wants = [objects.integer("process 0 wants"), objects.integer("process 1 wants")]
    turn, inside = objects.integer("turn"), objects.integer("inside")
    return [(worker, (wants[me], wants[1 - me], turn, me, inside)) for me in (0, 1)]


def enter_late(
    mine: Integer,
    theirs: Integer,
    turn: Integer,
    me: int,
    inside: Integer,
) -> Steps:
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
        return _two_at_the_door(objects, enter_late)

    return Scenario(build, invariant=at_most_one_inside)


def at_most_one_inside(shared: Mapping[str, Any]) -> bool:
    """Mutual exclusion."""
    return shared["inside"] <= 1


def at_work(run: Trace) -> Trace:
    """Return the children of a recording, each from its first call to its last: without the start of Python.

    Raises TypeError for what is no recording.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    events = [event._replace(process=event.process - 1) for event in run.events if event.process > 0]
    processes = []
    for number, process in enumerate(run.processes[1:]):
        own = [event for event in events if event.process == number]
        if own:
            process = replace(process, begin=own[0].begin, ready=None, end=max(event.end for event in own))
        processes.append(process)
    return Trace(processes, events, [], run.left_out)


def waits(run: Trace) -> str:
    """Say how long each process of a recording waited, and how many of them were inside at once if there is a door.

    Raises TypeError for what is no recording.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    waited = dict.fromkeys(range(len(run.processes)), 0.0)
    for event in run.events:
        if event.kind in (EventKind.ACQUIRE, EventKind.WAIT):
            waited[event.process] += (event.end - event.begin) / 1e6
    said = f"they waited {', '.join(f'{milliseconds:.0f}' for milliseconds in waited.values())} ms"
    inside = most_inside(run)
    return f"At most {inside} inside at once; {said}" if inside else said.capitalize()


def most_inside(run: Trace) -> int:
    """Return how many processes of a recording were inside at once, from an acquire to its release; 0 without one.

    Raises TypeError for what is no recording.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    came = [(event.end, 1) for event in run.events if event.kind == EventKind.ACQUIRE]
    went = [(event.begin, -1) for event in run.events if event.kind == EventKind.RELEASE]
    # who leaves at the moment at which another one comes has left before
    return max(0, *itertools.accumulate(change for _, change in sorted(came + went))) if came else 0


def costs(ctx: Context) -> dict[str, float]:
    """Return how many seconds one use of each object takes with nobody else there: in and out, set, notify or meet.

    Raises TypeError for what is no context.
    """
    from helpers.measuring import call_time

    validate.context(ctx)
    uses = {
        "Lock": _through(ctx.Lock()),
        "RLock": _through(ctx.RLock()),
        "Semaphore": _through(ctx.Semaphore()),
        "BoundedSemaphore": _through(ctx.BoundedSemaphore()),
        "Event: set": ctx.Event().set,
        "Condition: notify": _notify(ctx.Condition()),
        "Barrier of one": ctx.Barrier(1).wait,
    }
    return {name: call_time(use, CALLS) for name, use in uses.items()}


def _through(door: Any) -> Callable[[], None]:
    def go() -> None:
        with door:
            pass

    return go


def _notify(condition: synchronize.Condition) -> Callable[[], None]:
    def go() -> None:
        with condition:
            condition.notify()

    return go


def play(guests: int, places: int, stay_ms: int) -> tuple[dict[str, Any], str]:
    """Let so many guests into a room with so many places; the experiment of the panel.

    Return what `lanes` draws, and in words how many were inside at once, and how long it took.
    Raises TypeError or ValueError for guests not from 1 to 6, places not from 1 to 4, or a stay not from 1 to 300 ms.
    """
    validate.whole_number("guests", guests, 1, PANEL_GUESTS)
    validate.whole_number("places", places, 1, PANEL_PLACES)
    validate.whole_number("stay_ms", stay_ms, 1, PANEL_STAY)
    ctx = get_context("spawn")
    with record(deadline=30 + guests * stay_ms / 1000) as run:
        door = ctx.Semaphore(places)
        children = [
            ctx.Process(target=stay, args=(door, stay_ms / 1000), name=f"guest {number}") for number in range(guests)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()
    seen = at_work(run)
    first, last = min(one.begin for one in seen.processes), max(one.end or one.begin for one in seen.processes)
    verdict = f"{plural(guests, 'guest')}, {plural(places, 'place')}. "
    verdict += f"From the first arrival to the last departure {duration((last - first) / 1e9)} went by. "
    return {"run": seen, "title": waits(seen)}, f"{verdict}{waits(seen)}."


def _paid(explored: "Exploration") -> str:
    return "waits" if explored.deadlocks else "20"


def _woken(explored: "Exploration") -> str:
    if not explored.deadlocks:
        return "always"
    return "some" if explored.deadlocks < explored.schedules else "never"


def _ahead(explored: "Exploration") -> str:
    return "yes" if explored.violations else "stuck" if explored.deadlocks else "no"


def _how_often(chance: float) -> str:
    limits = {"millions": 1e-5, "thousand": 5e-3, "hundred": 5e-2}
    return next((key for key, limit in limits.items() if chance < limit), "six")


QUESTIONS = {
    "same_lock": Question(
        "`till` is a Lock. One process calls `pay_in_twice`, and nobody else is there. What happens?",
        {
            "waits": "A Lock is taken or free, and asks nobody who he is. So its own holder waits for it as well, "
            "and cannot give it back while it waits.",
        },
        {"20": "20 are in the till", "error": "an error", "waits": "it waits for ever"},
        judge=_paid,
    ),
    "one_bell": Question(
        "One process waits for the bell, another one rings it once. Is the one who waits woken?",
        {
            "some": "`notify` wakes those who sleep at that moment, and leaves no mark. Who comes later waits for a "
            "bell that has rung.",
        },
        {
            "always": "yes, in every schedule",
            "some": "in some schedules; in others it waits for ever",
            "never": "no, in no schedule",
        },
        judge=_woken,
    ),
    "ahead": Question(
        "Can one of the two finish round 3 while the other one has finished only round 1?",
        {
            "yes": "The second to come opens the gate, and nobody closes it. From then on it holds nobody back.",
        },
        {"no": "no, they stay together", "yes": "yes", "stuck": "no, but both may wait for ever"},
        judge=_ahead,
    ),
    "how_often": Question(
        "Now toss a fair coin at each step. In how many such walks do the five wait for ever?",
        "Schedules that end early are few when you count them, since nothing is left to mix. But a walk comes to "
        "each of them by few tosses. Count to know whether, toss to know how often.",
        {
            "millions": "about 5 in a hundred million",
            "thousand": "about one in a thousand",
            "hundred": "about one in a hundred",
            "six": "about one in six",
        },
        judge=_how_often,
    ),
}

CARD = Card(
    "Whoever enters is alone; whoever waits is woken",
    {"who waits": (0, 0), "who is\ninside": (2, 0)},
    {"door": (1, 0)},
    [("who waits", "door", "acquire()"), ("who is\ninside", "door", "release()")],
    """\
changed, parcels = ctx.Condition(), ctx.Value("i", 1)
with changed:
    changed.wait_for(lambda: parcels.value > 0)
    parcels.value -= 1
print(parcels.value)""",
    "0",
    [
        "All must take the same lock. Make it in the parent, and hand it to all.",
        "`notify()` leaves no mark. Look before you sleep, and after: `wait_for`.",
        "Take several locks in one order everywhere, or all may wait in a circle.",
    ],
)
