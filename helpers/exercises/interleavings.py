"""Exercises of the lesson on interleavings."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Proof, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "interleavings"

two_forks = Exercise(
    name="two_forks",
    lesson=LESSON,
    kind="repair it",
    task="Ann and Bob each need both forks. Sometimes both wait for ever. Repair `meals`, which says who takes which "
    "fork first.",
    source="""
from multiprocessing import get_context


# yours
def meals(left, right):
    return {"ann": (left, right), "bob": (right, left)}
# solution
def meals(left, right):
    return {"ann": (left, right), "bob": (left, right)}
# given
def dine(first, second, eaten):
    with first, second:
        eaten.value += 1


def program():
    ctx = get_context("spawn")
    left, right, eaten = ctx.Lock(), ctx.Lock(), ctx.Value("i", 0)
    guests = [
        ctx.Process(target=dine, args=(*forks, eaten), name=name)
        for name, forks in meals(left, right).items()
    ]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    return eaten.value
""",
    hints=[
        "Each holds one fork and waits for the other. What if both wanted the same fork first?",
        "A circle of waiting needs somebody who takes the locks in another order.",
    ],
    mistakes=[
        Mistake(
            "Both have changed sides, and still take the forks in opposite order.",
            'def meals(left, right):\n    return {"ann": (right, left), "bob": (left, right)}\n',
            r"'ann': \(right, left\), 'bob': \(left, right\)",
            Kind.HANGS,
        ),
        Mistake(
            "A fork each: nobody waits, but both need the same two, and now they may eat at once and lose count.",
            "def meals(left, right):\n    from contextlib import nullcontext\n"
            '    return {"ann": (left, nullcontext()), "bob": (right, nullcontext())}\n',
            r"nullcontext",
            Kind.WRONG,
        ),
        Mistake(
            "Nobody can take the same lock twice: who holds it waits for itself.",
            'def meals(left, right):\n    return {"ann": (left, left), "bob": (right, right)}\n',
            r"\((left, left|right, right)\)",
            Kind.HANGS,
        ),
    ],
    checks=[Always("program", 2), Clean("program")],
    notice="One order for all locks: no circle of waiting can form, however many guests there are.",
)

lowest = Exercise(
    name="lowest",
    lesson=LESSON,
    kind="break it",
    task="Two children each add one twice, with no lock. Each has five steps: it begins, reads, writes, reads, writes. "
    "All goes well with 4. Give an order in which an update is lost: a name for each step.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["a", "a", "a", "a", "a", "b", "b", "b", "b", "b"]
# solution
schedule = ["a", "a", "b", "b", "b", "b", "b", "a", "a", "a"]
# given
def add_twice(counter):
    for _ in range(2):
        seen = counter.value
        counter.value = seen + 1


def program():
    ctx = get_context("spawn")
    counter = ctx.Value("i", 0)
    a = ctx.Process(target=add_twice, args=(counter,), name="a")
    b = ctx.Process(target=add_twice, args=(counter,), name="b")
    a.start()
    b.start()
    a.join()
    b.join()
    return counter.value
""",
    hints=[
        "Let one of them read, and then sleep while the other one goes on.",
        "When it wakes, it writes over all that was done meanwhile.",
        'Begin with `["a", "a"]`, then give `b` all its five steps.',
    ],
    mistakes=[
        Mistake(
            "You let `b` in after a write. What `a` has seen is not old yet.",
            'schedule = ["a", "a", "a", "b", "b", "b", "b", "b", "a", "a"]\n',
            r"schedule = \['a', 'a', 'a', 'b', 'b', 'b', 'b', 'b'",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", 4, before=("main", "main", "main"))],
    notice="One stale write is enough, however much the other one has done in between.",
)

last_ticket = Exercise(
    name="last_ticket",
    lesson=LESSON,
    kind="repair it",
    task="Two sellers share the last ticket. Each looks whether there is one, and sells it. Repair `sell`, so that one "
    "ticket is never sold twice.",
    source="""
from multiprocessing import get_context


# yours
def sell(tickets, sold):
    if tickets.value > 0:
        with tickets.get_lock():
            tickets.value -= 1
        with sold.get_lock():
            sold.value += 1
# solution
def sell(tickets, sold):
    with tickets.get_lock():
        if tickets.value > 0:
            tickets.value -= 1
            with sold.get_lock():
                sold.value += 1
# given
def program():
    ctx = get_context("spawn")
    tickets, sold = ctx.Value("i", 1), ctx.Value("i", 0)
    sellers = [
        ctx.Process(target=sell, args=(tickets, sold), name=f"seller {n}")
        for n in (1, 2)
    ]
    for seller in sellers:
        seller.start()
    for seller in sellers:
        seller.join()
    return sold.value
""",
    hints=[
        "What a seller sees may be old when she acts. Nobody may act between her look and her act.",
        "The `if` belongs inside the lock, together with what follows from it.",
    ],
    mistakes=[
        Mistake(
            "You look once more, but again before you hold the lock. However often you look, the last look counts.",
            "def sell(tickets, sold):\n    if tickets.value > 0 and tickets.value > 0:\n"
            "        with tickets.get_lock():\n            tickets.value -= 1\n        with sold.get_lock():\n"
            "            sold.value += 1\n",
            r"if tickets\.value > 0 and",
            Kind.WRONG,
        ),
        Mistake(
            "Look and act hold a lock each, and between them nobody holds it.",
            "def sell(tickets, sold):\n    with tickets.get_lock():\n        left = tickets.value\n    if left > 0:\n"
            "        with tickets.get_lock():\n            tickets.value -= 1\n        with sold.get_lock():\n"
            "            sold.value += 1\n",
            r"left = tickets\.value\n    if left",
            Kind.WRONG,
        ),
        Mistake(
            "You hold the lock of `sold`. That is a lock too many or one too few: what must not change is `tickets`, "
            "and it is read before.",
            "def sell(tickets, sold):\n    if tickets.value > 0:\n        with sold.get_lock():\n"
            "            tickets.value -= 1\n            sold.value += 1\n",
            r"if tickets\.value > 0:\n        with sold",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", 1), Clean("program")],
    notice="Check and act are one critical section: nobody can come between the look and the sale.",
)

gate = Exercise(
    name="gate",
    lesson=LESSON,
    kind="build it",
    task="Write the worker `visit` of a scenario: at most one visitor may be inside. `yield door.acquire()` takes the "
    "lock. Every schedule of two visitors is counted, so what passes is proved.",
    source="""
from helpers.scheduling import Scenario


# yours
def visit(door, inside):
    inside.value += 1
    yield "enter"
    inside.value -= 1
    yield "leave"
# solution
def visit(door, inside):
    yield door.acquire()
    inside.value += 1
    yield "enter"
    inside.value -= 1
    yield "leave"
    door.release()
    yield "release"
# given
def at_most_one(shared):
    return shared["inside"] <= 1


def program():
    def build(objects):
        shared = objects.lock("door"), objects.integer("inside")
        return [(visit, shared)] * 2

    return Scenario(build, invariant=at_most_one)
""",
    hints=[
        "Take the lock before you enter: `yield door.acquire()`.",
        "Give it back after you have left: `door.release()`, then `yield` a word for the step.",
    ],
    mistakes=[
        Mistake(
            "You take the lock and never give it back. The second visitor waits for ever.",
            'def visit(door, inside):\n    yield door.acquire()\n    inside.value += 1\n    yield "enter"\n'
            '    inside.value -= 1\n    yield "leave"\n',
            r"acquire\(\)(?!.*release)",
            Kind.HANGS,
        ),
        Mistake(
            "You give the lock back before you are out. Between these two lines another one can come in.",
            'def visit(door, inside):\n    yield door.acquire()\n    inside.value += 1\n    yield "enter"\n'
            '    door.release()\n    inside.value -= 1\n    yield "leave"\n',
            r"release\(\)\n    inside\.value -= 1",
            Kind.WRONG,
        ),
        Mistake(
            "You give the lock back while you are still inside.",
            'def visit(door, inside):\n    yield door.acquire()\n    inside.value += 1\n    yield "enter"\n'
            '    door.release()\n    yield "release"\n    inside.value -= 1\n    yield "leave"\n',
            r"release\(\).*inside\.value -= 1",
            Kind.WRONG,
        ),
        Mistake(
            "`door.acquire` without parentheses names the method, and does not call it. So nobody holds the lock.",
            'def visit(door, inside):\n    yield door.acquire\n    inside.value += 1\n    yield "enter"\n'
            '    inside.value -= 1\n    door.release()\n    yield "leave"\n',
            r"door\.acquire$",
            Kind.CRASHED,
        ),
    ],
    checks=[Proof("program", grain="access")],
    notice="This is a proof, not a test: there is no schedule in which two are inside.",
)

what_helps = Exercise(
    name="what_helps",
    lesson=LESSON,
    kind="choose it",
    task="Which repair helps? Give each fault one of these: `one lock around both`, `locks in one order`, `nothing`.",
    source="""
# yours
repairs = {
    "two read, then both write": "nothing",
    "two look for the last ticket, then both sell": "nothing",
    "each holds one lock and waits for the other": "nothing",
    "messages of two senders arrive in any order": "nothing",
}
# solution
repairs = {
    "two read, then both write": "one lock around both",
    "two look for the last ticket, then both sell": "one lock around both",
    "each holds one lock and waits for the other": "locks in one order",
    "messages of two senders arrive in any order": "nothing",
}
# given
""",
    hints=[
        "A lost update and check-then-act are of one kind: something comes between two halves that belong together.",
        "One of the four is no fault at all.",
    ],
    mistakes=[
        Mistake(
            "One more lock does not end a deadlock of locks that are taken in opposite order.",
            """
repairs = {
    "two read, then both write": "one lock around both",
    "two look for the last ticket, then both sell": "one lock around both",
    "each holds one lock and waits for the other": "one lock around both",
    "messages of two senders arrive in any order": "nothing",
}
""",
            r"waits for the other': 'one lock around both'",
            Kind.WRONG,
        ),
        Mistake(
            "Two senders owe each other no order. A program that needs one must say so in the messages.",
            """
repairs = {
    "two read, then both write": "one lock around both",
    "two look for the last ticket, then both sell": "one lock around both",
    "each holds one lock and waits for the other": "locks in one order",
    "messages of two senders arrive in any order": "one lock around both",
}
""",
            r"any order': '(one lock around both|locks in one order)'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "repairs",
            {
                "two read, then both write": "one lock around both",
                "two look for the last ticket, then both sell": "one lock around both",
                "each holds one lock and waits for the other": "locks in one order",
                "messages of two senders arrive in any order": "nothing",
            },
            "Not all of them.",
        )
    ],
    notice="Ask first what must not come in between. Only then ask which lock.",
)
