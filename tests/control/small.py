"""Small programs as data, to be performed by real processes or explored as a scenario.

A program is a tuple of processes, a process a tuple of steps:

    ("add", x)          x += 1, which reads, then writes
    ("set", x, 2)       x = 2
    ("copy", x, y)      y = x
    ("put",)            put the process's number into the queue
    ("try", x)          try to take lock "l" without waiting; x += 1 if that succeeds; give it back
    ("up",), ("down",)  release and acquire a semaphore that begins with 1 permit
    ("with", l, steps)  do the steps while holding lock l
"""

from multiprocessing import get_all_start_methods, get_context

from helpers.scheduling import Scenario

DEADLOCK = "deadlock"
METHOD = "fork" if "fork" in get_all_start_methods() else "spawn"
VARIABLES, LOCKS = "xy", "lm"


def perform(code):
    """Run the program with plain multiprocessing; return the final values."""
    ctx = get_context(METHOD)
    values = {name: ctx.Value("i", 0, lock=True) for name in VARIABLES}
    locks = {name: ctx.Lock() for name in LOCKS}
    queue, semaphore = ctx.SimpleQueue(), ctx.Semaphore(1)
    children = [
        ctx.Process(target=perform_steps, args=(number, steps, values, locks, queue, semaphore))
        for number, steps in enumerate(code)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    found = []
    while not queue.empty():
        found.append(queue.get())
    return (*(values[name].value for name in VARIABLES), tuple(found))


def perform_steps(number, steps, values, locks, queue, semaphore):
    for verb, *rest in steps:
        match verb:
            case "add":
                values[rest[0]].value += 1
            case "set":
                values[rest[0]].value = rest[1]
            case "copy":
                values[rest[1]].value = values[rest[0]].value
            case "put":
                queue.put(number)
            case "try":
                if locks["l"].acquire(False):
                    values[rest[0]].value += 1
                    locks["l"].release()
            case "up":
                semaphore.release()
            case "down":
                semaphore.acquire()
            case "with":
                with locks[rest[0]]:
                    perform_steps(number, rest[1], values, locks, queue, semaphore)


def scenario_of(code):
    """Return the program as a scenario."""

    def build(memory):
        tools = (
            {name: memory.integer(name) for name in VARIABLES},
            {name: memory.lock(name) for name in LOCKS},
            memory.queue("queue", 8),
            memory.semaphore("semaphore", 1),
        )
        return [(explore_steps, (number, steps, *tools)) for number, steps in enumerate(code)]

    return Scenario(build, lambda shared: (*(shared[name] for name in VARIABLES), tuple(shared["queue"])))


def explore_steps(number, steps, values, locks, queue, semaphore):
    for verb, *rest in steps:
        match verb:
            case "add":
                values[rest[0]].value += 1
                yield
            case "set":
                values[rest[0]].value = rest[1]
                yield
            case "copy":
                values[rest[1]].value = values[rest[0]].value
                yield
            case "put":
                yield queue.put(number)
            case "try":
                if locks["l"].acquire(False):
                    yield
                    values[rest[0]].value += 1
                    yield
                    locks["l"].release()
                yield
            case "up":
                semaphore.release()
                yield
            case "down":
                yield semaphore.acquire()
            case "with":
                yield locks[rest[0]].acquire()
                yield from explore_steps(number, rest[1], values, locks, queue, semaphore)
                locks[rest[0]].release()
                yield
